import { ExitCode, FindingsError, IncompleteError, UsageError } from '../../errors.js'
import type { Window } from '../../campaign/window.js'
import { selectAccounts } from '../../staff/store.js'
import type { Workspace } from '../../workspace.js'
import { selectDecoyRoles } from '../canary/store.js'
import { selectGrantsOfList } from '../grant/store.js'
import { SessionList } from './collect.js'
import { SessionJudge } from './judge.js'
import { readPrefix } from './prefix.js'
import { readFiles } from './read-files.js'
import { readHosts } from './read-hosts.js'
import type { SeenSession, SessionsFound } from './types.js'

/** Which sessions are asked for. */
export interface SessionsQuestion {
  /** Logs of one server, or of several in folders of their own; none: the logs of hosts. */
  logs: readonly string[]
  /** Names of database hosts; none: all of them. */
  hosts: readonly string[]
  environment: NodeJS.ProcessEnv
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
 * @throws UsageError for logs that are not there and for a bad prefix; NotFoundError for hosts that are not recorded
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
    superusers: asked.superusers,
    decoys: new Set(await selectDecoyRoles(database)),
  })
  const list = new SessionList(asked.limit, since)
  const give = (session: SeenSession) => list.add(judge.judge(session))
  const { notRead, isOutOfReach } =
    asked.logs.length > 0
      ? { notRead: await readFiles(workspace, asked, give), isOutOfReach: false }
      : await readHosts(workspace, { ...asked, since }, { give, superusers: judge.superusers })
  return verdictOn(
    {
      sessions: list.listed(),
      total: list.total,
      flagged: list.flagged,
      notRead,
      since: since.toISOString(),
    },
    { isChecking: asked.isChecking, isOutOfReach },
  )
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

function verdictOn(
  found: SessionsFound,
  { isChecking, isOutOfReach }: { isChecking: boolean; isOutOfReach: boolean },
): SessionsFound {
  const { flagged, notRead } = found
  const unread = `${notRead.length === 1 ? '1 log' : `${notRead.length} logs`} could not be read as a whole`
  if (isChecking && flagged > 0) {
    const stands = flagged === 1 ? '1 session stands out' : `${flagged} sessions stand out`
    const message = notRead.length === 0 ? stands : `${stands}; ${unread}`
    throw new FindingsError('sessions-need-attention', message, { result: found })
  }
  if (notRead.length === 0) return found
  throw new IncompleteError(isOutOfReach ? ExitCode.unreachable : ExitCode.failure, unread, {
    result: found,
  })
}
