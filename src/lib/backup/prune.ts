import { selectProven } from '../drill/store.js'
import { ConflictError, FailureError } from '../errors.js'
import { findBackupHost } from '../host/backup-host.js'
import { onHost } from '../host/reach.js'
import { lastWords } from '../host/say.js'
import type { HostRow } from '../host/store.js'
import type { PruneQuestion } from '../retention/asked.js'
import {
  decideRetention,
  type Copy,
  type KeepReason,
  type RetentionPolicy,
} from '../retention/decide.js'
import type { SshSession } from '../ssh/session.js'
import type { Workspace } from '../workspace.js'
import { BACKUP_RUNNING, LOCKED } from './failure.js'
import { askBackups } from './ask.js'
import { expireBasebackup, trimWal } from './basebackup/prune.js'
import type { Backup } from './info.js'
import { recorderOf } from './record.js'

/** What becomes of a backup. */
export interface PrunedBackup {
  label: string
  type: Backup['type']
  repository: number
  stoppedAt: string
  bytes: number
  /** `expired`: it would be deleted. */
  outcome: 'kept' | 'expired' | 'deleted'
  keptFor: KeepReason[]
}

/** What became of the backups. */
export interface PrunedBackups {
  host: string
  stanza: string
  dryRun: boolean
  /** Oldest first. */
  backups: PrunedBackup[]
}

/** More than any repository has: only what is named goes, and WAL from the oldest backup on is kept whole. */
const ALL = 9_999_999
const LONGEST_MS = 86_400_000

const record = recorderOf('backup.prune')

/**
 * Lets the backups go that are old and of which more than enough remain; see `decideRetention`. Each
 * repository is decided by itself. What a kept one is built on stays.
 * @throws UsageError for a policy that keeps nothing, ConflictError while a backup is being made, FailureError when
 *   pgBackRest does not expire one: those before it are gone, and the same command goes on
 */
export async function pruneBackups(
  workspace: Workspace,
  asked: PruneQuestion,
): Promise<PrunedBackups> {
  const { policy, isDryRun, environment } = asked
  decideRetention([], policy, workspace.clock.now())
  const host = await findBackupHost(workspace, asked.stanza)
  return onHost(workspace, host, environment, async (session) => {
    const { backups } = await askBackups(session, host)
    const plan = await decide(workspace, host, backups, policy)
    const { name, stanza } = host
    const result: PrunedBackups = { host: name, stanza, dryRun: isDryRun, backups: plan }
    const going = plan.filter(({ outcome }) => outcome === 'expired')
    if (isDryRun || going.length === 0) return result
    const labels = going.map(({ label }) => label)
    await record(workspace, host, 'intent', { labels })
    // The youngest first: pgBackRest takes along whatever is built on what it expires.
    for (const each of going.reverse()) {
      workspace.signal.throwIfAborted()
      await expire(session, host, each)
      each.outcome = 'deleted'
    }
    if (host.basebackup) await trimWal(session, host.basebackup)
    await record(workspace, host, 'outcome', { labels })
    return result
  })
}

async function decide(
  { database, clock }: Workspace,
  { stanza }: HostRow,
  backups: readonly Backup[],
  policy: RetentionPolicy,
): Promise<PrunedBackup[]> {
  const proven = await selectProven(database, stanza, 'backup')
  const labels = new Set(proven.map(({ subject }) => subject))
  const repositories = [...new Set(backups.map(({ repository }) => repository))]
  const verdicts = repositories.flatMap((repository) => {
    const mine = backups.filter((backup) => backup.repository === repository)
    const copies = mine.map((backup) => copyOf(backup, labels.has(backup.label)))
    return decideRetention(copies, policy, clock.now()).map((verdict) => ({
      repository,
      ...verdict,
    }))
  })
  return backups.map((backup) => {
    const { label, type, repository, stoppedAt, repositoryBytes: bytes } = backup
    const isThis = (each: { repository: number; id: string }) =>
      each.repository === repository && each.id === label
    const keptFor = verdicts.find(isThis)?.keptFor ?? []
    const outcome = keptFor.length === 0 ? 'expired' : 'kept'
    return { label, type, repository, stoppedAt, bytes, outcome, keptFor }
  })
}

function copyOf({ label, stoppedAt, hasErrors, prior }: Backup, isProven: boolean): Copy {
  return {
    id: label,
    takenAt: new Date(stoppedAt),
    isWhole: hasErrors !== true,
    isProven,
    needs: prior === null ? [] : [prior],
  }
}

async function expire(
  session: SshSession,
  { stanza, basebackup }: HostRow,
  { label, repository }: PrunedBackup,
): Promise<void> {
  if (basebackup) return expireBasebackup(session, basebackup, label)
  const words = [
    `--stanza=${stanza} --repo=${repository} --set=${label}`,
    `--repo${repository}-retention-full=${ALL} --reset-repo${repository}-retention-full-type`,
    `--reset-repo${repository}-retention-archive --reset-repo${repository}-retention-diff`,
    '--log-level-console=error --log-level-stderr=error expire',
  ]
  const result = await session.run(`exec pgbackrest ${words.join(' ')}`, { timeoutMs: LONGEST_MS })
  if (result.code === 0) return
  const said = lastWords(result).replace(/^.*?ERROR: /, '')
  if (result.code === LOCKED)
    throw new ConflictError(BACKUP_RUNNING, `a backup of ${stanza} is being made`, {
      suggestions: ['give the command again when it is finished'],
    })
  throw new FailureError('expire-failed', `pgBackRest did not expire ${label}: ${said}`)
}
