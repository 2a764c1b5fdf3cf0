import {
  ALGORITHM,
  CLOCK_TOLERANCE_MS,
  MAX_TOKEN_TTL_MS,
  TOKEN_TYPE,
  standingOf,
  verifies,
} from '../signing-key/types.js'
import type { VerificationKey } from '../signing-key/verification-keys.js'
import type { TokenParts } from './parse.js'
import { ISSUER, type Audience, type TokenFault } from './types.js'

const TOLERANCE_S = CLOCK_TOLERANCE_MS / 1000
const MAX_TTL_S = MAX_TOKEN_TTL_MS / 1000
const KNOWN_HEADER = new Set(['alg', 'typ', 'kid', 'crit'])
const TOKEN_ID = /^[A-Za-z0-9_-]{22}$/
/** Shape only: whether such an installation, installer or device exists is for the caller to ask. */
const NAME = /^[!-~]{1,64}$/

/** A token under examination and all it is held against. */
export interface Examined extends TokenParts {
  text: string
  /** The key of our table that the header's kid names. */
  key: VerificationKey | undefined
  now: Date
  audience: Audience
}

/** One requirement on a token. */
export interface TokenRule {
  /** What is required, in a few words for a table. */
  rule: string
  fault: TokenFault
  /** What is wrong, for staff; undefined when the rule holds. */
  broken(token: Examined): string | undefined
}

const HEADER_RULES: readonly TokenRule[] = [
  {
    rule: `algorithm is ${ALGORITHM}`,
    fault: 'T_ALG',
    broken: ({ header, key }) =>
      header['alg'] === (key?.algorithm ?? ALGORITHM)
        ? undefined
        : `alg is ${quoted(header['alg'])}`,
  },
  {
    rule: `type is ${TOKEN_TYPE}`,
    fault: 'T_TYP',
    broken: ({ header }) =>
      header['typ'] === TOKEN_TYPE ? undefined : `typ is ${quoted(header['typ'])}`,
  },
  {
    rule: 'no critical extensions',
    fault: 'T_CRIT',
    broken: ({ header }) => ('crit' in header ? 'the header has crit' : undefined),
  },
  {
    rule: 'no key material in the header',
    fault: 'T_HEADER',
    broken: ({ header }) => {
      const foreign = Object.keys(header).filter((name) => !KNOWN_HEADER.has(name))
      return foreign.length === 0 ? undefined : `the header has ${quoted(foreign)}`
    },
  },
  {
    rule: 'signing key is known and in force',
    fault: 'T_KID',
    broken: ({ header, key, now }) => {
      if (key === undefined) return `kid is ${quoted(header['kid'])}`
      const state = standingOf(key, now)
      return verifies(state) ? undefined : `signing key ${quoted(header['kid'])} is ${state}`
    },
  },
]

const CLAIM_RULES: readonly TokenRule[] = [
  {
    rule: `issuer is ${ISSUER}`,
    fault: 'T_ISS',
    broken: ({ claims }) =>
      claims['iss'] === ISSUER ? undefined : `iss is ${quoted(claims['iss'])}`,
  },
  {
    rule: 'audience is the one asked for',
    fault: 'T_AUD',
    broken: ({ claims, audience }) =>
      // Exactly this text: a list that holds it among others is refused too.
      claims['aud'] === audience ? undefined : `aud is ${quoted(claims['aud'])}, not "${audience}"`,
  },
  {
    rule: 'names its subject',
    fault: 'T_SUB',
    broken: ({ claims, audience }) => {
      if (!isMatch(claims['sub'], NAME)) return `sub is ${quoted(claims['sub'])}`
      if (audience === 'ingest' && !isMatch(claims['serial'], NAME))
        return `serial is ${quoted(claims['serial'])}`
      return undefined
    },
  },
  {
    rule: 'has a token id',
    fault: 'T_JTI',
    broken: ({ claims }) =>
      isMatch(claims['jti'], TOKEN_ID) ? undefined : `jti is ${quoted(claims['jti'])}`,
  },
  {
    rule: 'client is its bearer',
    fault: 'T_CLIENT',
    broken: ({ claims, audience }) =>
      claims['client_id'] === (audience === 'app' ? 'app' : claims['serial'])
        ? undefined
        : `client_id is ${quoted(claims['client_id'])}`,
  },
  {
    rule: 'has an end',
    fault: 'T_NO_EXP',
    broken: ({ claims }) => (isTime(claims['exp']) ? undefined : `exp is ${quoted(claims['exp'])}`),
  },
  {
    rule: `lives ${MAX_TTL_S} s at most`,
    fault: 'T_TTL',
    broken: ({ claims: { iat, exp } }) => {
      if (!isTime(iat)) return `iat is ${quoted(iat)}`
      if (!isTime(exp)) return 'there is no exp'
      const ttl = exp - iat
      return ttl > 0 && ttl <= MAX_TTL_S ? undefined : `exp is ${ttl} s after iat`
    },
  },
  {
    rule: 'was issued in the past',
    fault: 'T_SKEW',
    broken: ({ claims: { iat, nbf }, now }) => {
      // Another machine's clock wrote iat, so it may be ahead of this one by the tolerance.
      const latest = seconds(now) + TOLERANCE_S
      if (isTime(iat) && iat > latest) return `iat is ${iat - seconds(now)} s ahead`
      if (nbf !== undefined && (!isTime(nbf) || nbf > latest)) return `nbf is ${quoted(nbf)}`
      return undefined
    },
  },
  {
    rule: 'has not expired',
    fault: 'T_EXPIRED',
    broken: ({ claims: { exp }, now }) => {
      // No tolerance here: a life meant to be 5 s must not be 65 s, and a device whose token ends a
      // little early for a gate with a fast clock just fetches the next one.
      if (!isTime(exp)) return 'there is no exp'
      return seconds(now) < exp ? undefined : `expired ${seconds(now) - exp} s ago`
    },
  },
  {
    rule: 'carries its epochs',
    fault: 'T_EPOCH',
    broken: ({ claims, audience }) => {
      if (!isCount(claims['epoch'])) return `epoch is ${quoted(claims['epoch'])}`
      if (audience === 'ingest' && !isCount(claims['device_epoch']))
        return `device_epoch is ${quoted(claims['device_epoch'])}`
      return undefined
    },
  },
]

const SIGNATURE_RULE: TokenRule = {
  rule: 'signature is by that key',
  fault: 'T_SIG',
  broken: (token) => {
    if (token.key === undefined) return 'there is no key to hold it against'
    // A token whose claims are right must satisfy the library's own rules as well. One whose claims
    // are wrong is asked for its signature alone: only an authentic token is said to have expired.
    const options = CLAIM_RULES.some((rule) => rule.broken(token) !== undefined)
      ? { ignoreExpiration: true, ignoreNotBefore: true }
      : {
          issuer: ISSUER,
          audience: token.audience,
          subject: String(token.claims['sub']),
          maxAge: MAX_TTL_S,
          clockTolerance: TOLERANCE_S,
          clockTimestamp: seconds(token.now),
        }
    return token.key.holds(token.text, options) ? undefined : 'the signature does not fit'
  },
}

/** Every rule, in the order in which the first broken one is reported. */
export const TOKEN_RULES: readonly TokenRule[] = [...HEADER_RULES, SIGNATURE_RULE, ...CLAIM_RULES]

function seconds(at: Date): number {
  return Math.floor(at.getTime() / 1000)
}

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isMatch(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value)
}

/** A stranger's value, short and harmless to a terminal. */
function quoted(value: unknown): string {
  const json = JSON.stringify(value) ?? 'missing'
  const printable = json.replace(/[^ -~]/g, '?')
  return printable.length <= 60 ? printable : `${printable.slice(0, 60)}…`
}
