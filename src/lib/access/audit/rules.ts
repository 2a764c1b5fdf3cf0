import { adminOption } from './rules/admin-option.js'
import { brokenRule } from './rules/broken-rule.js'
import { bypassRowSecurity } from './rules/bypass-row-security.js'
import { canaryRead } from './rules/canary-read.js'
import { canaryRole } from './rules/canary-role.js'
import { changesNotLogged } from './rules/changes-not-logged.js'
import { connectionsNotLogged } from './rules/connections-not-logged.js'
import { createInDatabase } from './rules/create-in-database.js'
import { createInSchema } from './rules/create-in-schema.js'
import { createRole } from './rules/create-role.js'
import { deadRule } from './rules/dead-rule.js'
import { defaultPrivileges } from './rules/default-privileges.js'
import { endWithoutEffect } from './rules/end-without-effect.js'
import { eventTrigger } from './rules/event-trigger.js'
import { everybody } from './rules/everybody.js'
import { foreignReplica } from './rules/foreign-replica.js'
import { grantOption } from './rules/grant-option.js'
import { hiddenCatalog } from './rules/hidden-catalog.js'
import { idleSlot } from './rules/idle-slot.js'
import { listensEverywhere } from './rules/listens-everywhere.js'
import { logForm } from './rules/log-form.js'
import { logLinePrefix } from './rules/log-line-prefix.js'
import { logNotUtc } from './rules/log-not-utc.js'
import { logReadable } from './rules/log-readable.js'
import { loginWithoutPassword } from './rules/login-without-password.js'
import { mappedSuperuser } from './rules/mapped-superuser.js'
import { nativeFunction } from './rules/native-function.js'
import { noConnectionLimit } from './rules/no-connection-limit.js'
import { noDelay } from './rules/no-delay.js'
import { noLastReject } from './rules/no-last-reject.js'
import { noPasswordCheck } from './rules/no-password-check.js'
import { noPgaudit } from './rules/no-pgaudit.js'
import { noRevocationList } from './rules/no-revocation-list.js'
import { noTls } from './rules/no-tls.js'
import { openPassword } from './rules/open-password.js'
import { openSocket } from './rules/open-socket.js'
import { otherwiseThanGranted } from './rules/otherwise-than-granted.js'
import { outsideExtension } from './rules/outside-extension.js'
import { parameterGrant } from './rules/parameter-grant.js'
import { passwordEncryption } from './rules/password-encryption.js'
import { passwordWithoutEnd } from './rules/password-without-end.js'
import { personOwnsObjects } from './rules/person-owns-objects.js'
import { plaintext } from './rules/plaintext.js'
import { powerfulGroup } from './rules/powerful-group.js'
import { probeDiffers } from './rules/probe-differs.js'
import { probeNobody } from './rules/probe-nobody.js'
import { probePlaintext } from './rules/probe-plaintext.js'
import { probeReplication } from './rules/probe-replication.js'
import { publicConnect } from './rules/public-connect.js'
import { publicSchema } from './rules/public-schema.js'
import { publicTable } from './rules/public-table.js'
import { publicTemporary } from './rules/public-temporary.js'
import { replicationNotLogged } from './rules/replication-not-logged.js'
import { replicationRole } from './rules/replication-role.js'
import { replicationRule } from './rules/replication-rule.js'
import { roleNobody } from './rules/role-nobody.js'
import { roleSetting } from './rules/role-setting.js'
import { rowSecurityNotForced } from './rules/row-security-not-forced.js'
import { ruleForNobody } from './rules/rule-for-nobody.js'
import { ruleOfEndedGrant } from './rules/rule-of-ended-grant.js'
import { rulesNotLoaded } from './rules/rules-not-loaded.js'
import { securityDefiner } from './rules/security-definer.js'
import { serverFunction } from './rules/server-function.js'
import { sessionNobody } from './rules/session-nobody.js'
import { slowAuthentication } from './rules/slow-authentication.js'
import { standbyWithoutTls } from './rules/standby-without-tls.js'
import { storedLogin } from './rules/stored-login.js'
import { subscription } from './rules/subscription.js'
import { superuser } from './rules/superuser.js'
import { superuserOverNetwork } from './rules/superuser-over-network.js'
import { untrustedLanguage } from './rules/untrusted-language.js'
import { weakCipher } from './rules/weak-cipher.js'
import { weakMethod } from './rules/weak-method.js'
import { weakPasswordHash } from './rules/weak-password-hash.js'
import { wideAddress } from './rules/wide-address.js'
import { SEVERITIES, type AccessRule } from './types.js'

const RULES: readonly AccessRule[] = [
  adminOption,
  brokenRule,
  bypassRowSecurity,
  canaryRead,
  canaryRole,
  changesNotLogged,
  connectionsNotLogged,
  createInDatabase,
  createInSchema,
  createRole,
  deadRule,
  defaultPrivileges,
  endWithoutEffect,
  eventTrigger,
  everybody,
  foreignReplica,
  grantOption,
  hiddenCatalog,
  idleSlot,
  listensEverywhere,
  logForm,
  logLinePrefix,
  logNotUtc,
  logReadable,
  loginWithoutPassword,
  mappedSuperuser,
  nativeFunction,
  noConnectionLimit,
  noDelay,
  noLastReject,
  noPasswordCheck,
  noPgaudit,
  noRevocationList,
  noTls,
  openPassword,
  openSocket,
  otherwiseThanGranted,
  outsideExtension,
  parameterGrant,
  passwordEncryption,
  passwordWithoutEnd,
  personOwnsObjects,
  plaintext,
  powerfulGroup,
  probeDiffers,
  probeNobody,
  probePlaintext,
  probeReplication,
  publicConnect,
  publicSchema,
  publicTable,
  publicTemporary,
  replicationNotLogged,
  replicationRole,
  replicationRule,
  roleNobody,
  roleSetting,
  rowSecurityNotForced,
  ruleForNobody,
  ruleOfEndedGrant,
  rulesNotLoaded,
  securityDefiner,
  serverFunction,
  sessionNobody,
  slowAuthentication,
  standbyWithoutTls,
  storedLogin,
  subscription,
  superuser,
  superuserOverNetwork,
  untrustedLanguage,
  weakCipher,
  weakMethod,
  weakPasswordHash,
  wideAddress,
]

/** All rules, the gravest first. */
export const ACCESS_RULES: readonly AccessRule[] = SEVERITIES.flatMap((severity) =>
  RULES.filter((rule) => rule.severity === severity),
)
