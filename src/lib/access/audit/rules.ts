import { adminOption } from './rules/admin-option.js'
import { brokenRule } from './rules/broken-rule.js'
import { bypassRowSecurity } from './rules/bypass-row-security.js'
import { connectionsNotLogged } from './rules/connections-not-logged.js'
import { createRole } from './rules/create-role.js'
import { deadRule } from './rules/dead-rule.js'
import { everybody } from './rules/everybody.js'
import { noLastReject } from './rules/no-last-reject.js'
import { noTls } from './rules/no-tls.js'
import { passwordWithoutEnd } from './rules/password-without-end.js'
import { plaintext } from './rules/plaintext.js'
import { powerfulGroup } from './rules/powerful-group.js'
import { publicConnect } from './rules/public-connect.js'
import { replicationRole } from './rules/replication-role.js'
import { replicationRule } from './rules/replication-rule.js'
import { roleNobody } from './rules/role-nobody.js'
import { roleSetting } from './rules/role-setting.js'
import { ruleForNobody } from './rules/rule-for-nobody.js'
import { rulesNotLoaded } from './rules/rules-not-loaded.js'
import { sessionNobody } from './rules/session-nobody.js'
import { superuser } from './rules/superuser.js'
import { superuserOverNetwork } from './rules/superuser-over-network.js'
import { weakMethod } from './rules/weak-method.js'
import { weakPasswordHash } from './rules/weak-password-hash.js'
import { wideAddress } from './rules/wide-address.js'
import { SEVERITIES, type AccessRule } from './types.js'

const RULES: readonly AccessRule[] = [
  adminOption,
  brokenRule,
  bypassRowSecurity,
  connectionsNotLogged,
  createRole,
  deadRule,
  everybody,
  noLastReject,
  noTls,
  passwordWithoutEnd,
  plaintext,
  powerfulGroup,
  publicConnect,
  replicationRole,
  replicationRule,
  roleNobody,
  roleSetting,
  ruleForNobody,
  rulesNotLoaded,
  sessionNobody,
  superuser,
  superuserOverNetwork,
  weakMethod,
  weakPasswordHash,
  wideAddress,
]

/** All rules, the gravest first. */
export const ACCESS_RULES: readonly AccessRule[] = SEVERITIES.flatMap((severity) =>
  RULES.filter((rule) => rule.severity === severity),
)
