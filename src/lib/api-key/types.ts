import { UsageError } from '../errors.js'
import { apiKeyStanding, type ApiKeyLife, type ApiKeyStanding } from './standing.js'

/** An API key's row without its digest. */
export interface ApiKey extends ApiKeyLife {
  keyId: string
  /** Counts the keys of one installation from 1. */
  version: number
  createdAt: Date
  revokedAt: Date | null
  revokeReason: string | null
  lastUsedAt: Date | null
  lastUsedAddress: string | null
  useCount: number
}

/** An API key as commands show it; never the key itself. */
export interface ShownApiKey {
  keyId: string
  version: number
  state: ApiKeyStanding
  createdAt: string
  expiresAt: string | null
  /** A former key works until this moment. */
  graceUntil: string | null
  revokedAt: string | null
  revokeReason: string | null
  lastUsedAt: string | null
  lastUsedAddress: string | null
  useCount: number
}

/** The one key that a command made. `apiKey` is the key itself, with --reveal only. */
export interface NewApiKey {
  installation: string
  keyId: string
  version: number
  createdAt: string
  expiresAt: string | null
  apiKey?: string
}

/** A key for display, in the state the clock has brought it to. */
export function showApiKey(key: ApiKey, now: Date): ShownApiKey {
  return {
    keyId: key.keyId,
    version: key.version,
    state: apiKeyStanding(key, now),
    createdAt: key.createdAt.toISOString(),
    expiresAt: key.expiresAt?.toISOString() ?? null,
    graceUntil: key.graceUntil?.toISOString() ?? null,
    revokedAt: key.revokedAt?.toISOString() ?? null,
    revokeReason: key.revokeReason,
    lastUsedAt: key.lastUsedAt?.toISOString() ?? null,
    lastUsedAddress: key.lastUsedAddress,
    useCount: key.useCount,
  }
}

/** How long a former key works when nobody says otherwise: every logger posts several times in a day. */
export const DEFAULT_GRACE_MS = 86_400_000

/** Ten years: longer than a plant keeps its hardware, and far from where dates end. */
const MAX_LIFETIME_MS = 3650 * 86_400_000
/** A former key is a second way in; a year of it is no overlap any more. */
const MAX_GRACE_MS = 365 * 86_400_000

const MAX_REASON_LENGTH = 500

/** Throws UsageError for a life that is over at once or without end in sight. */
export function requireLifetime(lifetimeMs: number | undefined): void {
  if (lifetimeMs === undefined || (lifetimeMs >= 1000 && lifetimeMs <= MAX_LIFETIME_MS)) return
  throw new UsageError('bad-lifetime', 'an API key lives between 1s and 3650d')
}

/** Throws UsageError for a grace longer than a year. */
export function requireGrace(graceMs: number): void {
  if (graceMs <= MAX_GRACE_MS) return
  throw new UsageError('bad-grace', 'a grace is 365d at most')
}

/** Throws UsageError for a reason that says nothing, or more than one line of the trail should hold. */
export function requireReason(reason: string): void {
  if (reason.trim() !== '' && reason.length <= MAX_REASON_LENGTH) return
  throw new UsageError('bad-reason', `a reason has 1 to ${MAX_REASON_LENGTH} characters`)
}
