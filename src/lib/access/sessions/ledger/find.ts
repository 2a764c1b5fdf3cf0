import { NotFoundError } from '../../../errors.js'
import type { Workspace } from '../../../workspace.js'
import type { SessionsFound } from '../types.js'
import { countWanted, selectLedgerHead, selectSessions, type LedgerFilter } from './store.js'

/**
 * Says who was in by the ledger; no log is read.
 * @throws NotFoundError where nothing was ever recorded: that nobody was in is not known then
 */
export async function findRecorded(
  { database }: Workspace,
  filter: LedgerFilter,
  limit: number,
): Promise<SessionsFound> {
  const head = await selectLedgerHead(database)
  if (head === undefined || Number(head.seq) === 0) {
    throw new NotFoundError('nothing-recorded', 'no session was ever recorded', {
      suggestions: [
        'cleverctl access sessions --record, which reads the logs of all database hosts',
        'cleverctl access sessions --log FILE --record',
      ],
    })
  }
  return {
    sessions: await selectSessions(database, filter, limit),
    ...(await countWanted(database, filter)),
    notRead: [],
    since: filter.since.toISOString(),
  }
}
