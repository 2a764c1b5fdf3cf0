import type { Window } from '../../campaign/window.js'
import { counted } from '../../counted.js'
import { verdictOn } from '../../findings/verdict.js'
import type { Workspace } from '../../workspace.js'
import { SessionList, shownSince } from './collect.js'
import { SessionIntake } from './intake.js'
import { findRecorded } from './ledger/find.js'
import type { LedgerFilter } from './ledger/store.js'
import { readFiles } from './read-files.js'
import { readHosts } from './read-hosts.js'
import { findSources } from './sources.js'
import type { NotRead, SessionsFound } from './types.js'

/** Which sessions are asked for. */
export interface SessionsQuestion {
  /** Logs of one server, or of several in folders of their own; none: the logs of hosts. */
  logs: readonly string[]
  /** Names of database hosts; none: all of them, or the ledger when nothing is recorded. */
  hosts: readonly string[]
  /** Whether what is read goes into the ledger; then only what was not read for it before is read. */
  isRecording: boolean
  /** Whether logs are read for the ledger from their beginning. */
  isAnew: boolean
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

/**
 * Says who was in, by the list of staff and service accounts: reads logs of PostgreSQL, or asks the ledger where neither
 * logs nor hosts are named and nothing is to be recorded.
 * @throws UsageError for logs that are not there and for a bad prefix; NotFoundError for hosts that are not recorded, and
 *   where the ledger is empty; RefusedError where the role may not write the ledger; ConflictError where another command
 *   records the same logs at this moment
 * @throws FindingsError when sessions have flags and `isChecking` is set; else IncompleteError when something could not
 *   be read; what was found is their result
 */
export async function findSessions(
  workspace: Workspace,
  asked: SessionsQuestion,
): Promise<SessionsFound> {
  const since = new Date(workspace.clock.now().getTime() - asked.sinceMs)
  if (!asked.isRecording && asked.logs.length === 0 && asked.hosts.length === 0) {
    const found = await findRecorded(workspace, { ...asked.filter, since }, asked.limit)
    return verdict(found, { isChecking: asked.isChecking, isOutOfReach: false })
  }
  const list = new SessionList(asked.limit, shownSince(asked, since))
  const { intake, notRead, isOutOfReach } = await read(workspace, asked, since, list)
  await intake.finish()
  return verdict(
    {
      sessions: list.listed(),
      total: list.total,
      flagged: list.flagged,
      notRead,
      since: since.toISOString(),
      ...(asked.isRecording ? { recorded: intake.recorded } : {}),
    },
    { isChecking: asked.isChecking, isOutOfReach },
  )
}

async function read(
  workspace: Workspace,
  asked: SessionsQuestion,
  since: Date,
  list: SessionList,
): Promise<{ intake: SessionIntake; notRead: NotRead[]; isOutOfReach: boolean }> {
  const sources = await findSources(workspace, asked)
  const intake = await SessionIntake.open(workspace, asked, {
    ...{ servers: sources.servers, since, goesOn: asked.isRecording },
    show: (session, isAgain) => {
      if (!isAgain) list.add(session)
    },
  })
  const { readings, superusers } = intake
  if ('files' in sources) {
    const notRead = await readFiles(workspace, sources.files, readings)
    return { intake, notRead, isOutOfReach: false }
  }
  const about = { hosts: sources.hosts, environment: asked.environment }
  const reading = { readings, superusers, timesGone: 1 }
  return { intake, ...(await readHosts(workspace, about, reading)) }
}

function verdict(
  found: SessionsFound,
  { isChecking, isOutOfReach }: { isChecking: boolean; isOutOfReach: boolean },
): SessionsFound {
  const { flagged, notRead } = found
  return verdictOn(found, {
    found: isChecking &&
      flagged > 0 && {
        code: 'sessions-need-attention',
        words: `${counted(flagged, 'session')} ${flagged === 1 ? 'stands' : 'stand'} out`,
      },
    unchecked: notRead.length > 0 && {
      words: `${counted(notRead.length, 'log')} could not be read as a whole`,
      isOutOfReach,
    },
  })
}
