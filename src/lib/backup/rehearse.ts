import { parseLsn } from '../cluster/lsn.js'
import { Checks, checkPages, checkRows, checkStructure, judgeStart } from '../drill/checks.js'
import type { Scratch } from '../drill/scratch.js'
import type { DrillCheck } from '../drill/types.js'
import { FailureError } from '../errors.js'
import { lastWords } from '../host/say.js'
import type { HostRow } from '../host/store.js'
import type { Log } from '../workspace.js'
import { restoreBasebackup } from './basebackup/restore.js'
import type { BackupCount } from './counted.js'
import type { Backup } from './info.js'
import { segmentNumber } from './wal.js'

/** Until where a drill recovers. */
export type DrillTarget =
  /** No further than what the backup itself was counted at. */
  | { kind: 'label' }
  /** Everything that has been archived; `archived` is its last segment. */
  | { kind: 'latest'; archived: string | null }
  | { kind: 'time'; time: Date }

/** What is to be restored, and what it is held against. */
export interface Rehearsal {
  host: HostRow
  backup: Backup
  /** Undefined where nobody counted. */
  count: BackupCount | undefined
  target: DrillTarget
  programs: string
}

/** How a rehearsal went. */
export interface Rehearsed {
  recovered: boolean
  /** When the last transaction was committed that was recovered; null where that is not known. */
  recoveredUntil: Date | null
  /** Restore and recovery, without the checks. */
  rtoMs: number | null
  checks: DrillCheck[]
}

type Finding = Omit<DrillCheck, 'name' | 'durationMs'>

/** Exit codes of pgBackRest's restore that speak of the repository (its src/common/error): what is there is wrong. */
const DAMAGE = new Set([26, 28, 29, 55, 95])
/** Restores a backup to a scratch place, starts a server on it, and looks at what it holds. */
export async function rehearse(
  scratch: Scratch,
  log: Log,
  rehearsal: Rehearsal,
): Promise<Rehearsed> {
  const { programs, count, target } = rehearsal
  const checks = new Checks(log)
  const restored = await checks.look('restore', () => restore(scratch, rehearsal))
  const failed = { recovered: false, recoveredUntil: null, rtoMs: null, checks: checks.done }
  if (restored.state !== 'ok') return failed
  const stops = countStop(count, target)
  const begun = await checks.look('recovery', () => recover(scratch, rehearsal, stops))
  if (begun.state !== 'ok') return failed
  let rtoMs = restored.durationMs + begun.durationMs
  let recoveredUntil = await lastCommit(scratch, programs)
  await checks.look('rows', async () =>
    stops ? checkRows(scratch, programs, stops.tables) : uncounted(rehearsal),
  )
  if (stops) {
    const rest = await checks.look('end-of-recovery', () => goOn(scratch, rehearsal))
    if (rest.state !== 'ok') return { ...failed, recoveredUntil }
    rtoMs += rest.durationMs
    recoveredUntil = (await lastCommit(scratch, programs)) ?? recoveredUntil
  }
  if (target.kind === 'latest')
    await checks.look('wal', () => checkEnd(scratch, programs, target.archived))
  await checks.look('structure', () => checkStructure(scratch, programs))
  await scratch.stop()
  await checks.look('pages', () => checkPages(scratch, programs))
  return { recovered: true, recoveredUntil, rtoMs, checks: checks.done }
}

async function restore(scratch: Scratch, rehearsal: Rehearsal): Promise<Finding> {
  const { backup, programs, host } = rehearsal
  const { stanza, basebackup } = host
  if (basebackup) return restoreBasebackup(scratch, basebackup, { label: backup.label, programs })
  const { place } = scratch
  const result = await scratch.run([
    'pgbackrest',
    ...[`--stanza=${stanza}`, `--repo=${backup.repository}`, `--set=${backup.label}`],
    // On the backup machine pg1 is another one; here it is this place.
    ...['--reset-pg1-host', `--pg1-path=${place}/data`],
    // Else they go where they were on the original.
    `--tablespace-map-all=${place}/tablespaces`,
    ...['--log-level-console=error', '--log-level-stderr=error', 'restore'],
  ])
  if (result.code === 0) return { state: 'ok', message: `${backup.label} was restored` }
  // What went wrong stands in the first line, and what was tried again below.
  const [, error] = /ERROR: (.+)/.exec(result.stderr.toString('utf8')) ?? []
  const message = `pgbackrest restore: ${error ?? lastWords(result)}`
  return { state: DAMAGE.has(result.code ?? 0) ? 'failed' : 'not-checked', message }
}

/** The count at which recovery is to stand still; undefined where there is none, or it lies behind the target. */
function countStop(count: BackupCount | undefined, target: DrillTarget): BackupCount | undefined {
  return target.kind === 'time' && count && count.countedAt > target.time ? undefined : count
}

function uncounted({ count, backup }: Rehearsal): Finding {
  if (count !== undefined)
    return {
      state: 'absent',
      message: 'the time lies before the moment at which rows were counted',
    }
  const message = `the rows of ${backup.label} were not counted when it was made: cleverctl backup run counts them`
  return { state: 'not-checked', message }
}

async function recover(
  scratch: Scratch,
  rehearsal: Rehearsal,
  stop: BackupCount | undefined,
): Promise<Finding> {
  const { programs } = rehearsal
  const words = stop
    ? await scratch.start({
        programs,
        wanted: 'paused',
        settings: {
          recovery_target_lsn: stop.lsn,
          recovery_target_inclusive: 'off',
          recovery_target_action: 'pause',
          recovery_target_timeline: String(stop.timeline),
        },
      })
    : await scratch.start({ programs, wanted: 'promoted', settings: settingsFor(rehearsal) })
  return judgeStart(words, 'PostgreSQL started and recovered')
}

/** From where the rows were counted to the target. */
async function goOn(scratch: Scratch, rehearsal: Rehearsal): Promise<Finding> {
  const { programs, target } = rehearsal
  if (target.kind === 'label')
    return judgeStart(await scratch.promote(programs), 'recovery has ended')
  await scratch.stop()
  const settings = settingsFor(rehearsal)
  const words = await scratch.start({ programs, wanted: 'promoted', settings })
  return judgeStart(words, 'recovery has ended')
}

function settingsFor({ target }: Rehearsal): Record<string, string> {
  if (target.kind === 'latest') return { recovery_target_timeline: 'latest' }
  if (target.kind === 'label')
    return { recovery_target: 'immediate', recovery_target_action: 'promote' }
  return {
    // PostgreSQL knows no names of time zones yet when it reads this.
    recovery_target_time: target.time.toISOString().replace('Z', '+00'),
    recovery_target_action: 'promote',
    recovery_target_timeline: 'latest',
  }
}

async function lastCommit(scratch: Scratch, programs: string): Promise<Date | null> {
  const question = 'select extract(epoch from pg_last_xact_replay_timestamp()) * 1000'
  const text = (await scratch.sql(programs, 'postgres', question)).trim()
  return text === '' ? null : new Date(Number(text))
}

/** PostgreSQL takes the first segment that is missing for the end of the archive, and says nothing. */
async function checkEnd(
  scratch: Scratch,
  programs: string,
  archived: string | null,
): Promise<Finding> {
  const question = `select pg_last_wal_replay_lsn(), setting from pg_settings where name = 'wal_segment_size'`
  const text = (await scratch.sql(programs, 'postgres', question)).trim()
  const [lsn = '', segmentBytes = ''] = text.split('|')
  if (archived === null || segmentBytes === '')
    throw new FailureError('wal-unknown', 'the end of the archive is not known')
  const last = segmentNumber(archived, Number(segmentBytes)) * BigInt(segmentBytes)
  if (parseLsn(lsn) >= last)
    return { state: 'ok', message: `recovered to ${lsn}, the end of the archive` }
  const message = `recovery ended at ${lsn}, but the archive goes on to ${archived}: WAL is missing`
  return { state: 'failed', message }
}
