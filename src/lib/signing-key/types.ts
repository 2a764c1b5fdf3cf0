import type { JsonWebKey } from 'node:crypto'

/** The one algorithm tokens are signed with: ECDSA on P-256 with SHA-256. */
export const ALGORITHM = 'ES256'

/** The type in a token's header (RFC 9068), so that no other JWT passes for one. */
export const TOKEN_TYPE = 'at+jwt'

/** `typ` of a signed statement about something that was done; no gate takes it for a token. */
export const EVIDENCE_TYPE = 'evidence+jwt'

/** The longest life a token may have, by policy. */
export const MAX_TOKEN_TTL_MS = 3_600_000

/** How far the clocks of two machines that sign and verify may differ. */
export const CLOCK_TOLERANCE_MS = 60_000

/**
 * NEXT: published, so that every verifier knows it before it signs. ACTIVE: signs. VERIFY: signs no
 * more, its tokens still hold. RETIRED: its last token is dead. REVOKED: its tokens are refused.
 */
export type SigningKeyState = 'NEXT' | 'ACTIVE' | 'VERIFY' | 'REVOKED' | 'RETIRED'

/** A signing key without its private half. */
export interface SigningKey {
  /** Names the key in the header of its tokens. */
  kid: string
  state: SigningKeyState
  publicJwk: JsonWebKey
  createdAt: Date
  activatedAt: Date | null
  /** Set with VERIFY: the moment from which its tokens are refused. */
  verifyUntil: Date | null
  revokedAt: Date | null
}

/** The state of a key at `now`: VERIFY ends by the clock, whoever writes it down later. */
export function standingOf(
  key: Pick<SigningKey, 'state' | 'verifyUntil'>,
  now: Date,
): SigningKeyState {
  const isOver = key.state === 'VERIFY' && (key.verifyUntil === null || key.verifyUntil <= now)
  return isOver ? 'RETIRED' : key.state
}

/** Whether tokens of a key in this state hold. */
export function verifies(state: SigningKeyState): boolean {
  return state === 'NEXT' || state === 'ACTIVE' || state === 'VERIFY'
}
