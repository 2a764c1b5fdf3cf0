import { ExitCode, FindingsError, IncompleteError, UsageError } from '../../errors.js'
import type { Window } from '../../campaign/window.js'
import { selectAccounts } from '../../staff/store.js'
import type { Workspace } from '../../workspace.js'
import { selectDecoyRoles } from '../canary/store.js'
import { selectGrantsOfList } from '../grant/store.js'
import { SessionList } from './collect.js'
import { SessionJudge } from './judge.js'
import { findRecorded } from './ledger/find.js'
import { SessionRecorder } from './ledger/recorder.js'
import { selectKnownRoles, selectLatest, type LedgerFilter } from './ledger/store.js'
import { readPrefix } from './prefix.js'
import { readFiles } from './read-files.js'
import { readHosts } from './read-hosts.js'
import type { NotRead, SessionsFound, SessionTaker, ShownSession } from './types.js'

/** Which sessions are asked for. */
export interface SessionsQuestion {
  /** Logs of one server, or of several in folders of their own; none: the logs of hosts. */
  logs: readonly string[]
  /** Names of database hosts; none: all of them, or the ledger when nothing is recorded. */
  hosts: readonly string[]
  /** Whether what is read goes into the ledger. */
  isRecording: boolean
  /** Of the ledger alone: whose, with which flag, of which server. */
  filter: Omit<LedgerFilter, 'since'>
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

/** So many recorded sessions are looked at again for storms and for two places at a time. */
const LATEST = 2000

/**
 * Says who was in, by the list of staff and service accounts: reads logs of PostgreSQL, or asks the ledger where neither
 * logs nor hosts are named and nothing is to be recorded.
 * @throws UsageError for logs that are not there and for a bad prefix; NotFoundError for hosts that are not recorded, and
 *   where the ledger is empty; RefusedError where the role may not write the ledger
 * @throws FindingsError when sessions have flags and `isChecking` is set; else IncompleteError when something could not
 *   be read; what was found is their result
 */
export async function findSessions(
  workspace: Workspace,
  asked: SessionsQuestion,
): Promise<SessionsFound> {
  const { clock } = workspace
  if (asked.prefix !== undefined) readPrefix(asked.prefix)
  if (asked.hours !== undefined) requireTimezone(asked.hours.timezone)
  const since = new Date(clock.now().getTime() - asked.sinceMs)
  if (!asked.isRecording && asked.logs.length === 0 && asked.hosts.length === 0) {
    const found = await findRecorded(workspace, { ...asked.filter, since }, asked.limit)
    return verdictOn(found, { isChecking: asked.isChecking, isOutOfReach: false })
  }
  const recorder = asked.isRecording ? new SessionRecorder(workspace) : undefined
  const judge = await makeJudge(workspace, asked, (session) => recorder?.retake(session))
  const list = new SessionList(asked.limit, since)
  const taker: SessionTaker = {
    give: (seen, log) => {
      const session = judge.judge(seen)
      list.add(session)
      recorder?.take(session, log)
    },
    settle: async () => {
      if (recorder?.isFull) await recorder.write()
    },
  }
  const { notRead, isOutOfReach } = await read(workspace, { ...asked, since }, taker, judge)
  await recorder?.finish()
  return verdictOn(
    {
      sessions: list.listed(),
      total: list.total,
      flagged: list.flagged,
      notRead,
      since: since.toISOString(),
      ...(recorder === undefined ? {} : { recorded: recorder.added }),
    },
    { isChecking: asked.isChecking, isOutOfReach },
  )
}

async function read(
  workspace: Workspace,
  asked: SessionsQuestion & { since: Date },
  taker: SessionTaker,
  { superusers }: SessionJudge,
): Promise<{ notRead: NotRead[]; isOutOfReach: boolean }> {
  if (asked.logs.length === 0) return readHosts(workspace, asked, { ...taker, superusers })
  // In the ledger a folder alone would be that of any machine.
  const nameOf = (folder: string) =>
    asked.isRecording ? `${workspace.actor.host}:${folder}` : folder
  return { notRead: await readFiles(workspace, asked, taker, nameOf), isOutOfReach: false }
}

async function makeJudge(
  { database }: Workspace,
  { hours, superusers }: SessionsQuestion,
  changed: (session: ShownSession) => void,
): Promise<SessionJudge> {
  const measure = {
    accounts: await selectAccounts(database),
    grants: await selectGrantsOfList(database),
    hours,
    superusers,
    decoys: new Set(await selectDecoyRoles(database)),
  }
  const judge = new SessionJudge(measure, changed)
  const latest = await selectLatest(database, LATEST)
  judge.learn({ latest, ...(await selectKnownRoles(database)) })
  return judge
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
