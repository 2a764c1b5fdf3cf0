import { accountState } from '../../staff/types.js'
import type { AcceptanceRow } from './store.js'

/** `over`: its last day is past. `ownerless`: nobody on the list answers for it any more. */
export type AcceptanceState = 'valid' | 'over' | 'ownerless' | 'withdrawn'

/** A finding that somebody answers for, as results show it. */
export interface Acceptance {
  id: string
  rule: string
  subject: string
  /** Null: at every server. */
  host: string | null
  owner: string
  reason: string
  until: string
  state: AcceptanceState
  acceptedAt: string
  withdrawnAt: string | null
}

/** What it is worth at a moment. Only a valid one counts. */
export function acceptanceState(row: AcceptanceRow, now: Date): AcceptanceState {
  if (row.withdrawnAt) return 'withdrawn'
  if (now.toISOString().slice(0, 10) > row.until) return 'over'
  const owner = { until: row.ownerUntil, removedAt: row.ownerRemovedAt }
  return accountState(owner, now) === 'valid' ? 'valid' : 'ownerless'
}

/** A row as results show it. */
export function showAcceptance(row: AcceptanceRow, now: Date): Acceptance {
  const { id, rule, subject, host, owner, reason, until, acceptedAt, withdrawnAt } = row
  return {
    ...{ id, rule, subject, host, owner, reason, until },
    state: acceptanceState(row, now),
    acceptedAt: acceptedAt.toISOString(),
    withdrawnAt: withdrawnAt?.toISOString() ?? null,
  }
}
