import { primaryOf, readCluster, type SeenHost } from '../../cluster/read.js'
import { findPrograms } from '../../drill/programs.js'
import { FailureError, FindingsError, UsageError, type ExpectedError } from '../../errors.js'
import { lastWords } from '../../host/say.js'
import { selectHosts, type HostRow } from '../../host/store.js'
import type { Basebackup } from '../../host/types.js'
import type { SshSession } from '../../ssh/session.js'
import type { ScriptResult } from '../../ssh/types.js'
import type { Workspace } from '../../workspace.js'
import type { Backup, BackupType } from '../info.js'
import { askBasebackups, callEngine, engineFailure } from './on-host.js'
import { connectionTo } from './receiver.js'

/** Where the files of a backup come from. */
export type Source = 'standby' | 'primary'

/** `  23456/45678 kB (51%), 0/1 tablespace`, as pg_basebackup says how far it is. */
const PERCENT = /\((\d+)%\)[^(]*$/
const MADE = /^made\t(\S+)$/m
const BAD_PAGES = /checksum (?:error|verification failed|mismatch)/
const VERSION_STEP = 10_000
const LABEL_BYTES = 200

/** Refuses what pg_basebackup of PostgreSQL 15 does not make. @throws UsageError */
export function requirePossible(
  { type }: { type: BackupType | undefined },
  { name }: Pick<HostRow, 'name'>,
): void {
  if (type === undefined || type === 'full') return
  throw new UsageError('full-only', `pg_basebackup makes full backups alone, on ${name}`, {
    suggestions: ['--type full', `cleverctl host show ${name}`],
  })
}

/**
 * Makes a backup by pg_basebackup, which checks every page and receives the WAL that the backup needs.
 * @param from undefined: a standby where one follows, else the primary
 * @throws ConflictError when one is being made, FindingsError when pages are damaged, FailureError; none of them leaves
 *   a backup behind
 */
export async function makeBasebackup(
  workspace: Workspace,
  session: SshSession,
  given: {
    host: HostRow
    basebackup: Basebackup
    from: Source | undefined
    environment: NodeJS.ProcessEnv
  },
): Promise<{ made: Backup; from: Source; durationMs: number }> {
  const { host, basebackup, environment } = given
  const { clock, log } = workspace
  const all = await selectHosts(workspace.database, 'database')
  const mine = all.filter(({ stanza }) => stanza === host.stanza)
  const { databases } = await readCluster(workspace, mine, environment)
  const source = chooseSource(databases, given.from)
  const programs = await findPrograms(session, source.version)
  const connection = connectionTo([source.host], basebackup.role)
  const begunAt = clock.now().getTime()
  let end = ''
  const words = [basebackup.directory, programs, connection, source.from]
  const result = await callEngine(session, 'make', words, {
    onStdout: (chunk) => {
      end = (end + chunk.toString('utf8')).slice(-LABEL_BYTES)
      const [, percent] = PERCENT.exec(end) ?? []
      if (percent !== undefined) log.progress({ done: Number(percent), total: 100, unit: '%' })
    },
  })
  const durationMs = clock.now().getTime() - begunAt
  if (result.code !== 0) throw failureOf(result, source.host, basebackup)
  const [, label] = MADE.exec(end) ?? []
  const { backups } = await askBasebackups(session, basebackup)
  const made = backups.find((each) => each.label === label)
  if (made !== undefined) return { made, from: source.from, durationMs }
  throw new FailureError('backup-missing', `${host.name} made a backup and does not list it`, {
    suggestions: ['cleverctl backup list'],
  })
}

function chooseSource(
  databases: readonly SeenHost[],
  from: Source | undefined,
): { host: HostRow; from: Source; version: string } {
  const primary = primaryOf(databases)
  const standby = databases
    .filter(({ seen }) => seen?.state === 'up' && seen.facts.receiver === 'streaming')
    .sort((a, b) => (a.lag?.bytes ?? 0) - (b.lag?.bytes ?? 0))[0]
  const chosen = from === 'primary' ? primary : (standby ?? (from ? undefined : primary))
  if (chosen?.seen?.state !== 'up')
    throw new FailureError('no-source', `no ${from ?? 'database host'} is there to copy from`, {
      suggestions: ['cleverctl cluster status', 'cleverctl backup run --from primary'],
    })
  const version = String(Math.floor(chosen.seen.facts.version / VERSION_STEP))
  return { host: chosen.host, from: chosen === primary ? 'primary' : 'standby', version }
}

function failureOf(
  result: ScriptResult,
  source: HostRow,
  { directory }: Basebackup,
): ExpectedError {
  const said = result.stderr.toString('utf8')
  if (BAD_PAGES.test(said))
    return new FindingsError(
      'backup-damaged',
      `${source.name} has pages with wrong checksums: no backup was made, the former ones are there`,
      { suggestions: [`pg_amcheck on ${source.name}`, 'cleverctl backup run --from primary'] },
    )
  const words = lastWords(result).replace(/^pg_basebackup: (?:error: )?/, '')
  return (
    engineFailure(result, directory) ??
    new FailureError('backup-failed', `pg_basebackup of ${source.name}: ${words}`, {
      suggestions: ['cleverctl host check', 'cleverctl cluster status'],
    })
  )
}
