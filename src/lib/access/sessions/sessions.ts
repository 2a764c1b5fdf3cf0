import { dirname, resolve } from 'node:path'
import {
  CancelledError,
  ExitCode,
  ExpectedError,
  FindingsError,
  IncompleteError,
  UsageError,
} from '../../errors.js'
import type { Window } from '../../campaign/window.js'
import { selectAccounts } from '../../staff/store.js'
import type { Workspace } from '../../workspace.js'
import { selectGrantsOfList } from '../grant/store.js'
import { SessionList } from './collect.js'
import { SessionJoin } from './join.js'
import { SessionJudge } from './judge.js'
import { openLog, type OpenLog } from './open-log.js'
import { readPrefix } from './prefix.js'
import { readLog } from './read-log.js'
import type { NotRead, SeenSession, SessionsFound } from './types.js'

/** Which sessions are asked for. */
export interface SessionsQuestion {
  /** Logs of one server, or of several in folders of their own. */
  logs: readonly string[]
  /** log_line_prefix of the server, for logs of stderr. */
  prefix: string | undefined
  /** How far back, in milliseconds. */
  sinceMs: number
  /** When people work, by the clock of a time zone. */
  hours: { window: Window; timezone: string } | undefined
  superusers: readonly string[]
  /** How many are listed. */
  limit: number
  /** Whether something that stands out makes the command end with 8. */
  isChecking: boolean
}

/**
 * Reads logs of PostgreSQL and says who was in, by the list of staff and service accounts.
 * @throws UsageError for logs that are not there and for a bad prefix
 * @throws FindingsError when sessions have flags and `isChecking` is set; else IncompleteError when something could not
 *   be read; what was found is their result
 */
export async function findSessions(
  workspace: Workspace,
  asked: SessionsQuestion,
): Promise<SessionsFound> {
  const { database, clock } = workspace
  if (asked.prefix !== undefined) readPrefix(asked.prefix)
  if (asked.hours !== undefined) requireTimezone(asked.hours.timezone)
  const since = new Date(clock.now().getTime() - asked.sinceMs)
  const judge = new SessionJudge({
    accounts: await selectAccounts(database),
    grants: await selectGrantsOfList(database),
    hours: asked.hours,
    superusers: new Set(asked.superusers),
  })
  const list = new SessionList(asked.limit, since)
  const notRead = await readLogs(workspace, asked, (session) => list.add(judge.judge(session)))
  return verdictOn(
    {
      sessions: list.listed(),
      total: list.total,
      flagged: list.flagged,
      notRead,
      since: since.toISOString(),
    },
    asked.isChecking,
  )
}

/** Reads the oldest log first, so that a session which goes on in the next one is known there. */
async function readLogs(
  { log, signal }: Workspace,
  { logs, prefix }: SessionsQuestion,
  give: (session: SeenSession) => void,
): Promise<NotRead[]> {
  const notRead: NotRead[] = []
  const open: OpenLog[] = []
  try {
    for (const path of new Set(logs.map((each) => resolve(each)))) open.push(await openLog(path))
    open.sort(
      (one, other) =>
        one.changedAt.getTime() - other.changedAt.getTime() || (one.path < other.path ? -1 : 1),
    )
    const joins = new Map<string, SessionJoin>()
    for (const [done, { path, ...opened }] of open.entries()) {
      log.progress({ done, total: open.length, unit: 'logs' })
      const server = dirname(path)
      const join = joins.get(server) ?? new SessionJoin(server, give)
      joins.set(server, join)
      try {
        await readLog({ name: path, chunks: opened.chunks(signal), prefix }, join)
      } catch (error) {
        if (error instanceof CancelledError || signal.aborted || !(error instanceof ExpectedError))
          throw error
        notRead.push({ log: path, reason: error.message })
      }
    }
    for (const [server, join] of joins) {
      join.finish()
      const reason = reasonOf(join)
      if (reason !== undefined) notRead.push({ log: server, reason })
    }
  } finally {
    await Promise.all(open.map((each) => each.close()))
  }
  return notRead
}

function reasonOf({ doubts, records, connections }: SessionJoin): string | undefined {
  if (records === 0) return 'no record of PostgreSQL is in it'
  if (connections === 0)
    return 'nothing about connections is in it: log_connections is off, or lc_messages is not English'
  if (doubts === 0) return undefined
  return `${doubts === 1 ? '1 record' : `${doubts} records`} can be read in no way, or in more than one`
}

function requireTimezone(timezone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone })
  } catch {
    throw new UsageError(
      'bad-timezone',
      `${JSON.stringify(timezone)} is no time zone such as Europe/Madrid`,
    )
  }
}

function verdictOn(found: SessionsFound, isChecking: boolean): SessionsFound {
  const { flagged, notRead } = found
  const unread = `${notRead.length === 1 ? '1 log' : `${notRead.length} logs`} could not be read as a whole`
  if (isChecking && flagged > 0) {
    const stands = flagged === 1 ? '1 session stands out' : `${flagged} sessions stand out`
    const message = notRead.length === 0 ? stands : `${stands}; ${unread}`
    throw new FindingsError('sessions-need-attention', message, { result: found })
  }
  if (notRead.length === 0) return found
  throw new IncompleteError(ExitCode.failure, unread, { result: found })
}
