import { dirname, resolve } from 'node:path'
import { CancelledError, ExpectedError } from '../../errors.js'
import type { Workspace } from '../../workspace.js'
import { SessionJoin } from './join.js'
import { openLog, type OpenLog } from './open-log.js'
import { readLog } from './read-log.js'
import type { NotRead, SessionTaker } from './types.js'

/**
 * Reads logs that are files here, the oldest first, so that a session which goes on in the next one is known there.
 * @param nameOf the name of the server whose logs are in a folder
 * @throws UsageError for a log that is not there
 */
export async function readFiles(
  { log, signal }: Workspace,
  { logs, prefix }: { logs: readonly string[]; prefix: string | undefined },
  taker: SessionTaker,
  nameOf: (folder: string) => string,
): Promise<NotRead[]> {
  const notRead: NotRead[] = []
  const open: OpenLog[] = []
  try {
    for (const path of new Set(logs.map((each) => resolve(each)))) open.push(await openLog(path))
    open.sort(
      (one, other) =>
        one.changedAt.getTime() - other.changedAt.getTime() || (one.path < other.path ? -1 : 1),
    )
    let current = ''
    const joins = new Map<string, SessionJoin>()
    for (const [done, { path, ...opened }] of open.entries()) {
      log.progress({ done, total: open.length, unit: 'logs' })
      const server = dirname(path)
      current = path
      const join =
        joins.get(server) ??
        new SessionJoin(nameOf(server), (session) => taker.give(session, current))
      joins.set(server, join)
      try {
        await readLog({ name: path, chunks: opened.chunks(signal), prefix }, join, () =>
          taker.settle(),
        )
      } catch (error) {
        notRead.push({ log: path, reason: reasonOf(error, signal) })
      }
    }
    for (const [server, join] of joins) {
      const whole = finish(server, join)
      // That nothing was read of a server says nothing more where one of its logs could not be read.
      const isTold = join.records === 0 && notRead.some((each) => dirname(each.log) === server)
      if (!isTold) notRead.push(...whole)
    }
  } finally {
    await Promise.all(open.map((each) => each.close()))
  }
  return notRead
}

/** Why something could not be read. Throws what is no reason: a cancellation, or a bug. */
export function reasonOf(error: unknown, signal: AbortSignal): string {
  const isReason = error instanceof ExpectedError && !(error instanceof CancelledError)
  if (isReason && !signal.aborted) return error.message
  throw error
}

/** Ends the logs of a server. @returns what was wrong with them as a whole */
export function finish(server: string, join: SessionJoin): NotRead[] {
  join.finish()
  const { doubts, records, connections } = join
  if (records === 0) return [{ log: server, reason: 'no record of PostgreSQL is in it' }]
  if (connections === 0) {
    const reason =
      'nothing about connections is in it: log_connections is off, or lc_messages is not English'
    return [{ log: server, reason }]
  }
  if (doubts === 0) return []
  const count = doubts === 1 ? '1 record' : `${doubts} records`
  return [{ log: server, reason: `${count} can be read in no way, or in more than one` }]
}
