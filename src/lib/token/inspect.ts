import type { Queryable } from '../database/database.js'
import { FindingsError } from '../errors.js'
import type { Secret } from '../secret.js'
import { loadVerificationKeys } from '../signing-key/verification-keys.js'
import type { Workspace } from '../workspace.js'
import { selectEpochs, selectInstallerEpoch } from './store.js'
import type { AppClaims, Audience, DeviceClaims } from './types.js'
import { examineToken, ruleVerdict, verifyToken, type RuleVerdict } from './verify.js'

/** What an inspection says. */
export interface TokenInspection {
  valid: boolean
  rules: RuleVerdict[]
  /** As the token has them, believed or not; null when the text holds none. */
  claims: Record<string, unknown> | null
}

const NOT_REVOKED = 'was not revoked'

/**
 * Holds a token against every rule and says how each came out.
 * Throws FindingsError with the inspection when a rule is broken.
 */
export async function inspectToken(
  workspace: Workspace,
  asked: { token: Secret; audience: Audience },
): Promise<TokenInspection> {
  const text = asked.token.reveal()
  const keys = await loadVerificationKeys(workspace.database)
  const expectation = { now: workspace.clock.now(), audience: asked.audience }
  const { rules, claims } = examineToken(text, keys, expectation)
  const verified = verifyToken(text, keys, expectation)
  const revocation: RuleVerdict = verified.ok
    ? ruleVerdict(NOT_REVOKED, 'T_EPOCH', await overtaken(workspace.database, verified.claims))
    : { rule: NOT_REVOKED, code: 'T_EPOCH', verdict: 'not-checked', detail: '' }
  const valid = revocation.verdict === 'pass'
  const inspection = { valid, rules: [...rules, revocation], claims: claims ?? null }
  if (valid) return inspection
  const broken = inspection.rules
    .filter(({ verdict }) => verdict === 'fail')
    .map(({ code }) => code)
  throw new FindingsError('token-invalid', `the token is not valid: ${broken.join(', ')}`, {
    result: inspection,
  })
}

async function overtaken(
  database: Queryable,
  claims: DeviceClaims | AppClaims,
): Promise<string | undefined> {
  if (claims.audience === 'app')
    return compare(
      `installer ${claims.installerId}`,
      claims.installerEpoch,
      await selectInstallerEpoch(database, claims.installerId),
    )
  const { installation, installationEpoch, serial, deviceEpoch } = claims
  const now = await selectEpochs(database, { installation, serial })
  return (
    compare(`installation ${installation}`, installationEpoch, now.installationEpoch) ??
    compare(`device ${serial}`, deviceEpoch, now.deviceEpoch)
  )
}

function compare(whose: string, claimed: number, current: number | null): string | undefined {
  if (current === null) return `there is no ${whose}`
  if (claimed === current) return undefined
  return `the tokens of ${whose} were revoked: epoch ${current}, the token has ${claimed}`
}
