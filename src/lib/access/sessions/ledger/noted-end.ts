import type { Transaction } from '../../../database/database.js'
import type { Actor } from '../../../trail/actor.js'
import { appendTrail } from '../../../trail/append.js'
import { selectLedgerHead } from './store.js'

/** By what entries of the trail that tell an end of the ledger are known. */
const ENTRY = { action: 'access.sessions', subject: 'ledger' } as const
/** More tell nobody anything new. */
const MOST_CONTRADICTED = 1000

/**
 * Writes into the trail where the ledger ends, unless its last entry says so already.
 * @param added how many rows were added to it
 */
export async function noteEnd(
  transaction: Transaction,
  actor: Actor,
  added: number,
): Promise<void> {
  const head = await selectLedgerHead(transaction)
  if (head === undefined || head.seq === (await lastNoted(transaction))) return
  const details = { added, seq: Number(head.seq), hash: head.hash }
  await appendTrail(transaction, actor, { ...ENTRY, details })
}

/** Rows of the ledger of which the trail tells another hash, with the first entry that does. */
export async function selectContradicted(
  transaction: Transaction,
): Promise<{ seq: number; entry: string }[]> {
  // As text: what stands in the trail may be anything, should somebody have altered it.
  const { rows } = await transaction.query<{ seq: string | null; entry: string }>(
    `select noted.details ->> 'seq' as seq, min(noted.seq)::text as entry from cleverctl.trail as noted
    left join cleverctl.session on session.seq::text = noted.details ->> 'seq'
    where noted.action = $1 and noted.subject = $2
      and encode(session.hash, 'hex') is distinct from noted.details ->> 'hash'
    group by 1 order by min(noted.seq) limit ${MOST_CONTRADICTED}`,
    [ENTRY.action, ENTRY.subject],
  )
  return rows.map(({ seq, entry }) => ({ seq: Number(seq) || 0, entry }))
}

async function lastNoted(transaction: Transaction): Promise<string> {
  const { rows } = await transaction.query<{ seq: string }>(
    `select details ->> 'seq' as seq from cleverctl.trail where action = $1 and subject = $2
    order by trail.seq desc limit 1`,
    [ENTRY.action, ENTRY.subject],
  )
  return rows[0]?.seq ?? '0'
}
