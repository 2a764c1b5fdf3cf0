/** A key's state as the database stores it. PENDING: made, not yet given out. */
export type StoredState = 'PENDING' | 'CURRENT' | 'GRACE' | 'RETIRED' | 'REVOKED'

/** Where a key stands at a moment: its stored state, or what the clock has made of it. */
export type ApiKeyStanding = StoredState | 'EXPIRED'

/** The part of a key's row that decides its standing. */
export interface ApiKeyLife {
  state: StoredState
  expiresAt: Date | null
  graceUntil: Date | null
}

/**
 * The standing of a key at `now`. A moment written in the row is the first moment at which the key no
 * longer works. A grace that ran out makes a key RETIRED, as its rotation meant it; its own end EXPIRED.
 */
export function apiKeyStanding(key: ApiKeyLife, now: Date): ApiKeyStanding {
  if (key.state === 'REVOKED' || key.state === 'RETIRED') return key.state
  if (key.state === 'GRACE' && (key.graceUntil === null || key.graceUntil <= now)) return 'RETIRED'
  if (key.expiresAt !== null && key.expiresAt <= now) return 'EXPIRED'
  return key.state
}
