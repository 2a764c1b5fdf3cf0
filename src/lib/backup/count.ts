import { setTimeout as sleep } from 'node:timers/promises'
import { primaryOf, readCluster, type SeenHost } from '../cluster/read.js'
import { countOnStandby, type Count } from '../drill/count.js'
import { CancelledError, ExpectedError, FailureError } from '../errors.js'
import { onHost } from '../host/reach.js'
import { lastWords } from '../host/say.js'
import { selectHosts, type HostRow } from '../host/store.js'
import type { SshSession } from '../ssh/session.js'
import type { Workspace } from '../workspace.js'
import { insertCount, type BackupCount } from './counted.js'
import { askBackups } from './ask.js'
import type { Backup } from './info.js'

/** What of a count is worth a line in the result of the backup. */
export interface CountSummary {
  host: string
  lsn: string
  tables: number
  rows: number
}

const ARCHIVED_WITHIN_MS = 60_000
const LOOK_EVERY_MS = 300

/**
 * Counts what a backup holds, for the drill that will restore it. A backup is no picture of one moment: recovery makes
 * it one, at any place in the WAL behind its end. So the rows are counted on a standby whose replay stands still at
 * such a place for a moment; the drill lets recovery end at the same place, to the record, whatever was written during
 * the backup and since. Then the primary begins a new segment, so that the place comes into the archive.
 * @param session to the backup machine
 * @param target the backup machine
 * @returns undefined where it could not be counted, which is warned about: the backup is sound all the same
 */
export async function countBackup(
  workspace: Workspace,
  session: SshSession,
  target: HostRow,
  backup: Backup,
  environment: NodeJS.ProcessEnv,
): Promise<CountSummary | undefined> {
  const { database, clock, log } = workspace
  const { stanza } = target
  try {
    const all = await selectHosts(database, 'database')
    const mine = all.filter((host) => host.stanza === stanza)
    const { databases } = await readCluster(workspace, mine, environment)
    const { host, count } = await countOnAny(workspace, databases, backup.lsnStop, environment)
    const segment = await closeSegment(workspace, primaryOf(databases), backup.label, environment)
    await waitForArchive(workspace, session, { target, backup, segment })
    const { label } = backup
    const countedAt = clock.now()
    const counted: BackupCount = { ...count, label, host, countedAt }
    await database.transaction((transaction) => insertCount(transaction, stanza, counted))
    const rows = count.tables.reduce((sum, each) => sum + each.rows, 0)
    return { host, lsn: count.lsn, tables: count.tables.length, rows }
  } catch (error) {
    if (!(error instanceof ExpectedError) || error instanceof CancelledError) throw error
    log.warn(
      `the rows of ${backup.label} were not counted, no drill can compare them: ${error.message}`,
    )
    return undefined
  }
}

/** Counts on the first standby on which it works, the most prompt one first. */
async function countOnAny(
  workspace: Workspace,
  databases: readonly SeenHost[],
  after: string,
  environment: NodeJS.ProcessEnv,
): Promise<{ host: string; count: Count }> {
  const standbys = databases
    .filter(({ seen }) => seen?.state === 'up' && seen.facts.receiver === 'streaming')
    .sort((a, b) => (a.lag?.bytes ?? 0) - (b.lag?.bytes ?? 0))
  let problem: ExpectedError = new FailureError('not-counted', 'no standby follows the primary')
  for (const { host } of standbys) {
    try {
      const count = await onHost(workspace, host, environment, (session) =>
        countOnStandby(session, host.postgresql?.port ?? 0, after),
      )
      return { host: host.name, count }
    } catch (error) {
      if (!(error instanceof ExpectedError) || error instanceof CancelledError) throw error
      problem = error
    }
  }
  throw problem
}

/** Lets the primary write a record behind what was counted, and begin a new segment. @returns the former one */
async function closeSegment(
  workspace: Workspace,
  primary: SeenHost | undefined,
  label: string,
  environment: NodeJS.ProcessEnv,
): Promise<string> {
  if (primary?.host.postgresql == null)
    throw new FailureError('no-primary', 'the primary was not found')
  const { port } = primary.host.postgresql
  const script = `exec psql -XAtqw -v ON_ERROR_STOP=1 -p ${port} -d postgres -f -`
  const statements = `select pg_walfile_name(pg_create_restore_point('cleverctl ${label}'));
    select from pg_switch_wal();`
  return onHost(workspace, primary.host, environment, async (session) => {
    const result = await session.run(script, { stdin: Buffer.from(statements) })
    if (result.code !== 0) throw new FailureError('psql-failed', `psql: ${lastWords(result)}`)
    return result.stdout.toString('utf8').trim()
  })
}

async function waitForArchive(
  { clock, signal }: Workspace,
  session: SshSession,
  { target, backup, segment }: { target: HostRow; backup: Backup; segment: string },
): Promise<void> {
  const until = clock.now().getTime() + ARCHIVED_WITHIN_MS
  for (;;) {
    const { archives } = await askBackups(session, target)
    const archive = archives.find(
      ({ repository, id }) => repository === backup.repository && id === backup.archive,
    )
    if ((archive?.max ?? '') >= segment) return
    if (clock.now().getTime() > until)
      throw new FailureError('not-archived', `${segment} does not come into the archive`)
    await sleep(LOOK_EVERY_MS, undefined, { signal })
  }
}
