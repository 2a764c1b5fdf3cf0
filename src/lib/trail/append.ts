import type { Database, Transaction } from '../database/database.js'
import type { Actor } from './actor.js'

/** One thing that was done, as a caller describes it. */
export interface TrailEntry {
  /** noun.verb, e.g. `device.revoke`. */
  action: string
  /** What it was done to: a serial, an installation's code, an e-mail address, … */
  subject: string
  /** Everything else worth proving later. Never a secret. Must be JSON. */
  details?: Record<string, unknown>
  /** `change` for work inside the database; `intent` before and `outcome` after work outside it. */
  phase?: 'change' | 'intent' | 'outcome'
}

/**
 * Appends to the trail in the caller's own transaction: if the trail cannot be written, the change
 * does not happen. The chain's lock is held until that transaction ends, so append last.
 */
export async function appendTrail(
  transaction: Transaction,
  actor: Actor,
  entry: TrailEntry,
): Promise<void> {
  await transaction.query('select cleverctl.trail_append($1, $2, $3, $4, $5, $6, $7)', [
    entry.phase ?? 'change',
    entry.action,
    entry.subject,
    actor.osUser,
    actor.host,
    actor.ciJob ?? null,
    JSON.stringify(entry.details ?? {}),
  ])
}

/** The same in a transaction of its own: before and after work outside the database. */
export async function recordInTrail(
  { database, actor }: { database: Database; actor: Actor },
  entry: TrailEntry,
): Promise<void> {
  await database.transaction((transaction) => appendTrail(transaction, actor, entry))
}
