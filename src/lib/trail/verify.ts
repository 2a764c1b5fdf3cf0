import { counted } from '../counted.js'
import { FindingsError } from '../errors.js'
import type { Workspace } from '../workspace.js'
import { TrailChain, type TrailVerdict } from './chain.js'
import { readTrail } from './store.js'

/**
 * Recomputes the hash of every row of the trail outside the database and compares the chain with its
 * noted end. Somebody who owns the tables and rewrites all rows from one on, and the noted end with
 * them, is found only by a copy of the trail or of its head that was kept elsewhere.
 * Throws FindingsError, with the verdict as its result, when anything is wrong.
 */
export async function verifyTrail(workspace: Workspace): Promise<TrailVerdict> {
  const { database, log, signal } = workspace
  const verdict = await readTrail(database, async ({ head, pages }) => {
    const chain = new TrailChain()
    const total = head === undefined ? undefined : Number(head.seq)
    let done = 0
    for await (const rows of pages) {
      signal.throwIfAborted()
      for (const row of rows) chain.add(row)
      log.progress({ done: (done += rows.length), total, unit: 'rows' })
    }
    return chain.finish(head)
  })
  return sound(verdict, 'the trail')
}

/**
 * Gives a verdict back when nothing is wrong. Throws FindingsError otherwise.
 * @param what the thing that was checked, for the message
 */
export function sound(verdict: TrailVerdict, what: string): TrailVerdict {
  const count = verdict.problems.length + verdict.unlistedProblems
  if (count === 0) return verdict
  throw new FindingsError(
    'trail-broken',
    `${what} was changed by other hands: ${counted(count, 'problem')} in ${verdict.rows} rows`,
    { result: verdict },
  )
}
