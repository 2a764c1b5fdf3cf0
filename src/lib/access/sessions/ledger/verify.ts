import type { Transaction } from '../../../database/database.js'
import { HashChain, type TrailProblem, type TrailVerdict } from '../../../trail/chain.js'
import { sound } from '../../../trail/verify.js'
import type { Workspace } from '../../../workspace.js'
import { selectContradicted } from './noted-end.js'
import { hashOfLedgerRow, type LedgerRow } from './row.js'
import { ledgerPages, selectLedgerHead } from './store.js'

/**
 * Recomputes the hash of every row of the ledger outside the database, and compares the chain with its noted end and
 * with every end that the trail tells of. Somebody who owns the tables and rewrites ledger and trail from one row on
 * is found by a copy of the trail that was kept elsewhere.
 * @throws FindingsError, with the verdict as its result, when anything is wrong
 */
export async function verifyLedger(workspace: Workspace): Promise<TrailVerdict> {
  const { database, log, signal } = workspace
  const verdict = await database.transaction(async (transaction) => {
    await transaction.query('set transaction isolation level repeatable read, read only')
    const head = await selectLedgerHead(transaction)
    const chain = new HashChain<LedgerRow>(hashOfLedgerRow)
    let done = 0
    for await (const rows of ledgerPages(transaction)) {
      signal.throwIfAborted()
      for (const row of rows) chain.add(row)
      log.progress({ done: (done += rows.length), total: Number(head?.seq), unit: 'rows' })
    }
    const found = chain.finish(head)
    return { ...found, problems: [...found.problems, ...(await compareWithTrail(transaction))] }
  })
  return sound(verdict, 'the ledger of sessions')
}

async function compareWithTrail(transaction: Transaction): Promise<TrailProblem[]> {
  const contradicted = await selectContradicted(transaction)
  return contradicted.map(({ seq, entry }) => {
    const explanation = `row ${entry} of the trail tells another hash of it`
    return { seq, kind: 'altered', explanation }
  })
}
