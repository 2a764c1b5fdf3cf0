import { UsageError } from '../../errors.js'
import type { Changer } from '../drivers/changer.js'
import type { CurrentCredential, RouterRow } from '../store.js'

/** What of a router can be changed: the Wi-Fi's passphrase, the password, the Wi-Fi's name. */
export const ROTATED = ['wifi', 'admin', 'name'] as const
/** One of {@link ROTATED}. */
export type Rotated = (typeof ROTATED)[number]

/** Reads `wifi,admin`. Throws UsageError for other words. */
export function parseRotated(text: string): Rotated[] {
  const words = [...new Set(text.split(',').map((word) => word.trim()))]
  const known = words.filter((word): word is Rotated => ROTATED.some((each) => each === word))
  if (known.length === words.length) return known
  throw new UsageError('bad-what', `--what takes ${ROTATED.join(', ')}, with commas between them`)
}

/** The credentials that a rotation replaces; a name is changed together with its passphrase. */
export type Part = 'admin' | 'wifi'

/** `replace`: old for new at once. `add`: the new passphrase beside the old one. `retire`: the old one goes. */
export type Step = 'replace' | 'add' | 'retire'

/** How far a rotation has come; the last three are for ever. */
export type RotationState =
  'STAGED' | 'SET' | 'TESTED' | 'UNKNOWN' | 'CONFIRMED' | 'ROLLED_BACK' | 'FOREIGN'

/** How a router is to be rotated. */
export interface RotationChoice {
  what: readonly Rotated[]
  /** Whether the former passphrase works on until the loggers have moved, or this time is over. */
  overlapMs: number | undefined
  /** When the router goes back by itself without a confirmation. */
  rollbackMs: number
  /** Secrets that were younger when the command began stay. */
  olderThanMs: number | undefined
  /** What somebody changed by hand is replaced as well. */
  isOverwriting: boolean
}

/** One step of a rotation. */
export interface Change {
  router: RouterRow
  changer: Changer
  step: Step
  parts: readonly Part[]
  choice: RotationChoice
  /** What is in force. */
  credentials: readonly CurrentCredential[]
}

/** Reload 30 to 60 s, a radio link 60 to 180 s, and some attempts: users found less too short. */
export const DEFAULT_ROLLBACK_MS = 300_000
/** A former passphrase works no longer than this beside the new one unless told otherwise. */
export const DEFAULT_OVERLAP_MS = 7 * 86_400_000
const SHORTEST_ROLLBACK_MS = 5000
const LONGEST_ROLLBACK_MS = 3_600_000

/** @throws UsageError for a choice that cannot be carried out */
export function requireRotation({ what, overlapMs, rollbackMs }: RotationChoice): void {
  if (what.length === 0) throw new UsageError('nothing-to-rotate', 'nothing is to be rotated')
  if (rollbackMs < SHORTEST_ROLLBACK_MS || rollbackMs > LONGEST_ROLLBACK_MS)
    throw new UsageError('bad-rollback', 'a router goes back after 5s at least and 1h at most')
  if (overlapMs === undefined) return
  if (!what.includes('wifi') && !what.includes('name'))
    throw new UsageError('bad-overlap', 'only a Wi-Fi can overlap: add --what wifi')
}

/** The parts that a choice touches. */
export function partsOf(what: readonly Rotated[]): Part[] {
  const isWifi = what.includes('wifi') || what.includes('name')
  return [
    ...(what.includes('admin') ? (['admin'] as const) : []),
    ...(isWifi ? (['wifi'] as const) : []),
  ]
}
