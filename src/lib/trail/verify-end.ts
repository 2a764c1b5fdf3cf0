import type { Database } from '../database/database.js'
import { TrailChain, type TrailVerdict } from './chain.js'
import { selectTrail, selectTrailHead } from './store.js'

const EVERYTHING = {
  since: undefined,
  action: undefined,
  subject: undefined,
  actor: undefined,
  before: undefined,
}

/**
 * Checks the last rows of the trail against each other and against the noted end, in one snapshot.
 * It is quick at any length; that the rows before are sound, `verifyTrail` alone can tell.
 */
export async function verifyTrailEnd(database: Database, limit: number): Promise<TrailVerdict> {
  return database.transaction(async (transaction) => {
    await transaction.query('set transaction isolation level repeatable read, read only')
    const head = await selectTrailHead(transaction)
    const rows = (await selectTrail(transaction, { ...EVERYTHING, limit })).reverse()
    const [first] = rows
    // A trail shorter than the limit is looked at whole, from row 1 on.
    const isWhole = first === undefined || rows.length < limit
    const chain = isWhole
      ? new TrailChain()
      : new TrailChain({ seq: Number(first.seq) - 1, hash: first.previousHash })
    for (const row of rows) chain.add(row)
    return chain.finish(head)
  })
}
