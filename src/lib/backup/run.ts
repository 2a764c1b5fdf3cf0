import { CancelledError, ExpectedError, FindingsError, FailureError } from '../errors.js'
import { findBackupHost } from '../host/backup-host.js'
import { onHost } from '../host/reach.js'
import type { HostRow } from '../host/store.js'
import type { Basebackup } from '../host/types.js'
import type { SshSession } from '../ssh/session.js'
import type { Workspace } from '../workspace.js'
import { askBackups, requireRepositories } from './ask.js'
import { makeBasebackup, requirePossible } from './basebackup/make.js'
import { countBackup, type CountSummary } from './count.js'
import { backupFailure, INVALID_OPTION } from './failure.js'
import { askStanza, type Backup, type BackupType, type RepositoryStatus } from './info.js'
import { parsePingUrl, pinged } from './ping.js'
import { BackupLog } from './progress.js'
import { recorderOf } from './record.js'

/** A backup that was made. */
export interface BackupRun {
  label: string
  /** What pgBackRest made of it: the first one is a full one, whatever was asked. */
  type: BackupType
  /** Number of the repository that it lies in. */
  repository: number
  /** What it added to that. */
  bytes: number
  databaseBytes: number
  durationMs: number
  /** Where the files came from. */
  from: 'standby' | 'primary'
  host: string
  stanza: string
  /** What it holds, counted for the drill that will restore it; null where that was not wanted or not possible. */
  counted: CountSummary | null
}

/** What to make. */
export interface BackupQuestion {
  stanza: string | undefined
  environment: NodeJS.ProcessEnv
  /** Undefined: pgBackRest decides. */
  type: BackupType | undefined
  from: 'standby' | 'primary' | undefined
  /** Number of the repository of pgBackRest; undefined: the one with the smallest number. */
  repository: number | undefined
  pingUrl: string | undefined
  /** Whether rows are counted, which reads every table on a standby. */
  isCounting: boolean
}

/** A big cluster takes hours; a connection that is dead shows by the keepalive long before. */
const LONGEST_MS = 7 * 86_400_000

const record = recorderOf('backup.run')

/**
 * Makes a backup on the backup machine, and looks at what pgBackRest does not say by its exit code. The primary is
 * found anew each time.
 * @throws UsageError for a type that is not made there, ConflictError when one is being made, FindingsError when pages with wrong checksums were copied or the
 *   repository is not well (the backup is its result), FailureError, and what `onHost` throws
 */
export async function runBackup(workspace: Workspace, asked: BackupQuestion): Promise<BackupRun> {
  const url = asked.pingUrl === undefined ? undefined : parsePingUrl(asked.pingUrl)
  const host = await findBackupHost(workspace, asked.stanza)
  requireRepositories(host, asked.repository)
  if (host.basebackup) requirePossible(asked, host)
  return pinged(url, workspace.log, true, async () => {
    await record(workspace, host, 'intent', {
      type: asked.type ?? null,
      from: asked.from ?? null,
      repository: asked.repository ?? null,
    })
    try {
      const run = await onHost(workspace, host, asked.environment, (session) =>
        make(workspace, session, host, asked),
      )
      await record(workspace, host, 'outcome', { ...run })
      return run
    } catch (error) {
      // What was interrupted goes on or not: only the repository knows, so it is not said to have failed.
      const isKnown = error instanceof ExpectedError && !(error instanceof CancelledError)
      const { code, message } =
        error instanceof ExpectedError ? error : { code: 'bug', message: '' }
      if (isKnown) await record(workspace, host, 'outcome', { error: code, message })
      throw error
    }
  })
}

async function make(
  workspace: Workspace,
  session: SshSession,
  host: HostRow,
  asked: BackupQuestion,
): Promise<BackupRun> {
  const { isCounting, environment, from } = asked
  const { made, run } = host.basebackup
    ? await copy(workspace, session, host, host.basebackup, { from, environment })
    : await callPgbackrest(workspace, session, host, asked)
  if (!isCounting) return run
  const counted = await countBackup(workspace, session, host, made, environment)
  return { ...run, counted: counted ?? null }
}

async function copy(
  workspace: Workspace,
  session: SshSession,
  host: HostRow,
  basebackup: Basebackup,
  asked: Pick<BackupQuestion, 'from' | 'environment'>,
): Promise<{ made: Backup; run: BackupRun }> {
  const { made, ...more } = await makeBasebackup(workspace, session, { host, basebackup, ...asked })
  return { made, run: runOf(made, host, more) }
}

async function callPgbackrest(
  workspace: Workspace,
  session: SshSession,
  host: HostRow,
  { type, from, repository }: BackupQuestion,
): Promise<{ made: Backup; run: BackupRun }> {
  const { clock, log } = workspace
  const { stanza } = host
  const source = from && (from === 'standby' ? '--backup-standby' : '--no-backup-standby')
  const options = [
    `--stanza=${stanza}`,
    ...(repository === undefined ? [] : [`--repo=${repository}`]),
    ...(type ? [`--type=${type}`] : []),
    ...(source ? [source] : []),
    '--log-level-console=detail',
    '--log-level-stderr=error',
  ]
  const progress = new BackupLog((done) => log.progress({ done, total: 100, unit: '%' }))
  const begunAt = clock.now().getTime()
  const result = await session.run(`exec pgbackrest ${options.join(' ')} backup`, {
    timeoutMs: LONGEST_MS,
    onStdout: (chunk) => progress.add(chunk),
  })
  const durationMs = clock.now().getTime() - begunAt
  // A number that pgBackRest there does not know is told from its other mistakes.
  if (result.code === INVALID_OPTION) await askBackups(session, host, repository)
  if (result.code !== 0)
    throw backupFailure(result, stanza, await rivalOn(session, stanza).catch(() => undefined))
  const info = await askStanza(session, stanza)
  const made = info.backups.find(
    (each) => each.label === progress.label && (repository ?? each.repository) === each.repository,
  )
  if (made === undefined)
    throw new FailureError('backup-missing', 'pgBackRest made a backup and does not list it', {
      suggestions: ['cleverctl backup list'],
    })
  const run = runOf(made, host, {
    durationMs,
    from: progress.isFromStandby ? 'standby' : 'primary',
  })
  requireSound(run, made, info.repositories)
  return { made, run }
}

function runOf(
  { label, type, repository, repositoryBytes: bytes, databaseBytes }: Backup,
  { name, stanza }: HostRow,
  { durationMs, from }: Pick<BackupRun, 'durationMs' | 'from'>,
): BackupRun {
  const made = { label, type, repository, bytes, databaseBytes, durationMs, from }
  return { ...made, host: name, stanza, counted: null }
}

function requireSound(
  run: BackupRun,
  made: Backup,
  repositories: readonly RepositoryStatus[],
): void {
  if (made.hasErrors === true)
    throw new FindingsError(
      'backup-damaged',
      `${run.label} holds pages with wrong checksums: the data themselves are damaged`,
      { result: run, suggestions: ['pg_amcheck on the primary', 'cleverctl backup list'] },
    )
  const { repository } = made
  const status = repositories.find(({ number }) => number === repository)
  if (status?.code === 0) return
  const message = `repository ${repository}: ${status?.message ?? 'pgBackRest does not list it'}`
  throw new FindingsError('repository', message, {
    result: run,
    suggestions: [`cleverctl backup repo check ${repository}`],
  })
}

/** Who holds pgBackRest's lock; undefined where that cannot be seen. Its file begins with the process's id. */
async function rivalOn(session: SshSession, stanza: string): Promise<string | undefined> {
  const script = `pid=$(tr -c '0-9' '\\n' </tmp/pgbackrest/${stanza}-backup.lock | grep -m1 .) &&
    TZ=UTC ps -o lstart= -p "$pid" | sed "s/^/process $pid, begun /"`
  const { code, stdout } = await session.run(script)
  const line = stdout.toString('utf8').trim()
  return code === 0 && line !== '' ? `${line} UTC` : undefined
}
