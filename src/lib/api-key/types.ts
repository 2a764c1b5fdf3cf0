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
  /** A former key ends when so many hundredths of the devices were seen with the current one … */
  adoptionPercent: number | null
  /** … but not before this moment. */
  adoptionFrom: Date | null
}

/** An API key as commands show it; never the key itself. */
export interface ShownApiKey {
  keyId: string
  version: number
  state: ApiKeyStanding
  createdAt: string
  expiresAt: string | null
  /** A former key works until this moment at the longest. */
  graceUntil: string | null
  /** It ends sooner, when so many hundredths of the installation's devices use the current key. */
  adoptionPercent: number | null
  /** But not before this moment. */
  adoptionFrom: string | null
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
  /** The sinks that have confirmed it, where there are any. */
  deliveredTo?: string[]
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
    adoptionPercent: key.adoptionPercent,
    adoptionFrom: key.adoptionFrom?.toISOString() ?? null,
    revokedAt: key.revokedAt?.toISOString() ?? null,
    revokeReason: key.revokeReason,
    lastUsedAt: key.lastUsedAt?.toISOString() ?? null,
    lastUsedAddress: key.lastUsedAddress,
    useCount: key.useCount,
  }
}

/** How long a former key works when nobody says otherwise: every logger posts several times in a day. */
export const DEFAULT_GRACE_MS = 86_400_000

/** Loggers at the far end of a bad link are given two weeks to be seen with the new key. */
export const DEFAULT_HARD_DEADLINE_MS = 14 * 86_400_000

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
function requireGrace(graceMs: number): void {
  if (graceMs <= MAX_GRACE_MS) return
  throw new UsageError('bad-grace', 'a grace is 365d at most')
}

/** When former keys end: by the clock alone, or as soon as the devices have the new key. */
export interface Overlap {
  /** How long former keys work for certain, in milliseconds; 0 = they end at once, unless adoption is awaited. */
  graceMs: number
  /** Undefined: they end with the grace, whoever still uses them. */
  adoption: Adoption | undefined
}

/** What a former key waits for. */
export interface Adoption {
  /** Hundredths of the installation's devices that must have been seen with the new key. */
  percent: number
  /** The end of former keys whatever is missing, in milliseconds from the rotation. */
  hardDeadlineMs: number
}

/** Throws UsageError for an overlap longer than a year, or a deadline before the grace is over. */
export function requireOverlap({ graceMs, adoption }: Overlap): void {
  requireGrace(graceMs)
  if (adoption === undefined) return
  if (!Number.isInteger(adoption.percent) || adoption.percent < 1 || adoption.percent > 100)
    throw new UsageError('bad-adoption', 'an adoption to wait for is 1% to 100% of the devices')
  if (adoption.hardDeadlineMs > MAX_GRACE_MS)
    throw new UsageError('bad-deadline', 'a hard deadline is 365d at most')
  if (adoption.hardDeadlineMs <= graceMs)
    throw new UsageError('bad-deadline', 'the hard deadline comes before the grace is over', {
      suggestions: ['give a --hard-deadline longer than --grace'],
    })
}

/** Throws UsageError for a reason that says nothing, or more than one line of the trail should hold. */
export function requireReason(reason: string): void {
  if (reason.trim() !== '' && reason.length <= MAX_REASON_LENGTH) return
  throw new UsageError('bad-reason', `a reason has 1 to ${MAX_REASON_LENGTH} characters`)
}
