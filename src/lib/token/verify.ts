import type { VerificationKeys } from '../signing-key/verification-keys.js'
import { parseToken, type TokenParts } from './parse.js'
import { TOKEN_RULES, type Examined } from './rules.js'
import type { AppClaims, Audience, ClaimsFor, DeviceClaims, TokenFault } from './types.js'

/** What a token is held against. */
export interface Expectation<Kind extends Audience> {
  now: Date
  audience: Kind
}

/** Accepted with its claims, or the first rule that it breaks. */
export type Verdict<Kind extends Audience> =
  { ok: true; claims: ClaimsFor<Kind> } | { ok: false; code: TokenFault }

/** How one rule came out. */
export interface RuleVerdict {
  rule: string
  code: TokenFault
  verdict: 'pass' | 'fail' | 'not-checked'
  detail: string
}

/**
 * Holds a token against every rule that needs no database row; synchronous, so that a gate can do it
 * between two bytes. Left to the caller, who has the rows: that `installation` is the API key's own, and
 * that the epochs are still the installation's and the device's (T_EPOCH).
 *
 * ES256 signatures are malleable: (r, s) and (r, n-s) are two texts of one token. So never tell tokens
 * apart by their text; both have the same `tokenId` and die by the same epoch.
 */
export function verifyToken<Kind extends Audience>(
  text: string | undefined,
  keys: VerificationKeys,
  { now, audience }: Expectation<Kind>,
): Verdict<Kind> {
  if (text === undefined || text === '') return { ok: false, code: 'T_MISSING' }
  const parts = parseToken(text)
  if (typeof parts === 'string') return { ok: false, code: 'T_FORMAT' }
  const examined = held(text, parts, keys, now, audience)
  const broken = TOKEN_RULES.find((rule) => rule.broken(examined) !== undefined)
  if (broken !== undefined) return { ok: false, code: broken.fault }
  return { ok: true, claims: readClaims(parts.claims, audience) }
}

/** The verdict of every rule, also of those behind a broken one, and the claims as the token has them. */
export function examineToken(
  text: string,
  keys: VerificationKeys,
  { now, audience }: Expectation<Audience>,
): { rules: RuleVerdict[]; claims: Record<string, unknown> | undefined } {
  const parts = parseToken(text)
  const isWhole = typeof parts !== 'string'
  const format = ruleVerdict('is a token', 'T_FORMAT', isWhole ? undefined : parts)
  if (!isWhole) {
    const others = TOKEN_RULES.map(({ rule, fault }): RuleVerdict => {
      return { rule, code: fault, verdict: 'not-checked', detail: '' }
    })
    return { rules: [format, ...others], claims: undefined }
  }
  const examined = held(text, parts, keys, now, audience)
  const rules = TOKEN_RULES.map((rule) => ruleVerdict(rule.rule, rule.fault, rule.broken(examined)))
  return { rules: [format, ...rules], claims: parts.claims }
}

/** The verdict on one rule: passed unless something is wrong. */
export function ruleVerdict(
  rule: string,
  code: TokenFault,
  wrong: string | undefined,
): RuleVerdict {
  return { rule, code, verdict: wrong === undefined ? 'pass' : 'fail', detail: wrong ?? '' }
}

function held(
  text: string,
  parts: TokenParts,
  keys: VerificationKeys,
  now: Date,
  audience: Audience,
): Examined {
  const { kid } = parts.header
  return { ...parts, text, now, audience, key: typeof kid === 'string' ? keys.get(kid) : undefined }
}

/** Only after every rule held: the rules are what makes these conversions true. */
function readClaims<Kind extends Audience>(
  claims: Record<string, unknown>,
  audience: Kind,
): ClaimsFor<Kind> {
  const common = {
    tokenId: String(claims['jti']),
    issuedAt: new Date(Number(claims['iat']) * 1000),
    expiresAt: new Date(Number(claims['exp']) * 1000),
  }
  const read: DeviceClaims | AppClaims =
    audience === 'ingest'
      ? {
          ...common,
          audience: 'ingest',
          installation: String(claims['sub']),
          serial: String(claims['serial']),
          installationEpoch: Number(claims['epoch']),
          deviceEpoch: Number(claims['device_epoch']),
        }
      : {
          ...common,
          audience: 'app',
          installerId: String(claims['sub']),
          installerEpoch: Number(claims['epoch']),
        }
  return read as ClaimsFor<Kind>
}
