import { findPrograms } from '../drill/programs.js'
import { placeIn, withScratch } from '../drill/scratch.js'
import { insertDrill } from '../drill/store.js'
import { reasonOf, resultOfChecks, type DrillCheck } from '../drill/types.js'
import { hold } from '../database/hold.js'
import {
  CancelledError,
  ConflictError,
  ExpectedError,
  FailureError,
  NotFoundError,
  UsageError,
} from '../errors.js'
import { verdictOn } from '../findings/verdict.js'
import { findBackupHost } from '../host/backup-host.js'
import { onHost } from '../host/reach.js'
import type { HostRow } from '../host/store.js'
import { loadSigner, type Signer } from '../signing-key/signer.js'
import type { SshSession } from '../ssh/session.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { selectCount } from './counted.js'
import { askBackups, requireRepositories } from './ask.js'
import type { Backup, StanzaInfo } from './info.js'
import { recorderOf } from './record.js'
import { rehearse, type DrillTarget, type Rehearsed } from './rehearse.js'

/** What a drill came to. */
export interface BackupDrill {
  label: string
  /** Number of the repository that it was restored from. */
  repository: number
  host: string
  stanza: string
  begunAt: string
  /** Whether a server was started from it that came to the end of its recovery. */
  recovered: boolean
  /** When the last transaction was committed that was recovered. */
  recoveredUntil: string | null
  /** How old that was when the drill began; with a time as the target, how far before it. */
  rpoSeconds: number | null
  /** Restore and recovery, until the server could have been used. */
  rtoSeconds: number | null
  checks: DrillCheck[]
}

/** What to drill. */
export interface DrillQuestion {
  stanza: string | undefined
  environment: NodeJS.ProcessEnv
  /** Undefined: the latest one, or the one for `time`. */
  label: string | undefined
  time: Date | undefined
  /** Number of the repository to restore from; undefined: any. */
  repository: number | undefined
  /** Where there is room on the backup machine. */
  directory: string
}

const MS = 1000
/** Besides the data a drill needs WAL, and what a server writes of its own. */
const ROOM_FACTOR = 1.1
const ROOM_BYTES = 256 * 1024 ** 2

const record = recorderOf('backup.drill')

/**
 * Restores a backup on the backup machine, starts a server from it that nobody else can reach, looks at what it holds,
 * and throws it away. The result is signed and goes into the trail.
 * @throws FindingsError when a check fails, IncompleteError when one could not be carried out; the drill is their
 *   result. NotFoundError without such a backup or repository, UsageError for a time in the future, ConflictError when one is under
 *   way, FailureError when there is no room or no PostgreSQL, and what `onHost` throws
 */
export async function drillBackup(
  workspace: Workspace,
  asked: DrillQuestion,
): Promise<BackupDrill> {
  const { clock, database } = workspace
  const begunAt = clock.now()
  if (asked.time !== undefined && asked.time > begunAt)
    throw new UsageError('future-time', 'a drill cannot recover to a time that is still to come')
  const host = await findBackupHost(workspace, asked.stanza)
  requireRepositories(host, asked.repository)
  const place = placeIn(asked.directory, host.stanza)
  // Before anything else: what cannot be signed is not begun.
  const signer = await loadSigner(workspace)
  const taken = new ConflictError('drill-running', `a drill on ${host.name} is under way`, {
    suggestions: ['wait for it: cleverctl trail list --action backup.drill'],
  })
  const drill = await hold(database, `backup-drill:${host.stanza}`, taken, async () => {
    const { label = null, time = null, repository = null } = asked
    await record(workspace, host, 'intent', { label, time, repository })
    try {
      const found = await onHost(workspace, host, asked.environment, (session) =>
        carryOut(workspace, session, { host, place, begunAt, asked }),
      )
      await recordDrill(workspace, host, signer, found)
      return found
    } catch (error) {
      const isKnown = error instanceof ExpectedError && !(error instanceof CancelledError)
      if (isKnown) {
        const { code, message } = error
        await record(workspace, host, 'outcome', { error: code, message })
      }
      throw error
    }
  })
  return verdict(drill)
}

async function carryOut(
  workspace: Workspace,
  session: SshSession,
  given: { host: HostRow; place: string; begunAt: Date; asked: DrillQuestion },
): Promise<BackupDrill> {
  const { host, place, begunAt, asked } = given
  const { stanza } = host
  const info = await askBackups(session, host, asked.repository)
  const backup = chooseBackup(info, asked)
  const count = await selectCount(workspace.database, stanza, backup.label)
  const programs = await findPrograms(session, backup.archive.split('-')[0] ?? '')
  const target = targetOf(info, backup, asked)
  const rehearsed = await withScratch(session, workspace.random, place, async (scratch) => {
    requireRoom(scratch.freeBytes, backup, asked.directory)
    return rehearse(scratch, workspace.log, { host, backup, count, target, programs })
  })
  return describe(rehearsed, { host, backup, begunAt, target })
}

/** @throws NotFoundError when there is none such */
function chooseBackup({ backups }: StanzaInfo, { label, time }: DrillQuestion): Backup {
  const found =
    label === undefined
      ? backups.filter(({ stoppedAt }) => time === undefined || new Date(stoppedAt) <= time).at(-1)
      : backups.find((each) => each.label === label)
  if (found !== undefined) return found
  const which = label ?? (time === undefined ? '' : `before ${time.toISOString()}`)
  throw new NotFoundError('backup-not-found', `there is no backup ${which}`.trimEnd(), {
    suggestions: ['cleverctl backup list'],
  })
}

function targetOf(
  { archives }: StanzaInfo,
  { repository, archive }: Backup,
  { label, time }: DrillQuestion,
): DrillTarget {
  if (time !== undefined) return { kind: 'time', time }
  if (label !== undefined) return { kind: 'label' }
  const mine = archives.find((each) => each.repository === repository && each.id === archive)
  return { kind: 'latest', archived: mine?.max ?? null }
}

function requireRoom(freeBytes: number, { databaseBytes }: Backup, directory: string): void {
  const needed = databaseBytes * ROOM_FACTOR + ROOM_BYTES
  if (freeBytes >= needed) return
  const mebibytes = (bytes: number) => `${Math.ceil(bytes / 1024 ** 2)} MiB`
  throw new FailureError(
    'no-room',
    `${directory} has ${mebibytes(freeBytes)} free, a drill needs ${mebibytes(needed)}`,
    { suggestions: ['--directory DIR, on a file system of the backup machine with more room'] },
  )
}

function describe(
  { recovered, recoveredUntil, rtoMs, checks }: Rehearsed,
  given: { host: HostRow; backup: Backup; begunAt: Date; target: DrillTarget },
): BackupDrill {
  const { host, backup, begunAt, target } = given
  // Without a transaction since, the data are those of the backup's end.
  const until = recovered ? (recoveredUntil ?? new Date(backup.stoppedAt)) : null
  const wanted = target.kind === 'time' ? target.time : begunAt
  return {
    label: backup.label,
    repository: backup.repository,
    host: host.name,
    stanza: host.stanza,
    begunAt: begunAt.toISOString(),
    recovered,
    recoveredUntil: until?.toISOString() ?? null,
    rpoSeconds: until && Math.max(0, (wanted.getTime() - until.getTime()) / MS),
    rtoSeconds: rtoMs === null ? null : rtoMs / MS,
    checks,
  }
}

async function recordDrill(
  { database, actor, clock }: Workspace,
  { name: host, stanza }: HostRow,
  signer: Signer,
  drill: BackupDrill,
): Promise<void> {
  const endedAt = clock.now()
  const result = resultOfChecks(drill.checks)
  const statement = { iss: 'cleverctl', iat: Math.floor(endedAt.getTime() / MS), drill, result }
  const evidence = signer.attest(statement)
  await database.transaction(async (transaction) => {
    const begunAt = new Date(drill.begunAt)
    const kind = 'backup'
    const row = { kind, stanza, host, subject: drill.label, result, begunAt, endedAt } as const
    await insertDrill(transaction, row)
    await appendTrail(transaction, actor, {
      phase: 'outcome',
      action: 'backup.drill',
      subject: stanza,
      details: { ...drill, result, evidence },
    })
  })
}

function verdict(drill: BackupDrill): BackupDrill {
  const { checks, label } = drill
  const result = resultOfChecks(checks)
  const words = `${label} is not proven: ${reasonOf(checks, result)}`
  const suggestions = ['cleverctl backup verify', 'cleverctl backup run --type full']
  return verdictOn(drill, {
    found: result === 'failed' && { code: 'drill-failed', words, suggestions },
    unchecked: result === 'not-checked' && { words, isOutOfReach: false },
  })
}
