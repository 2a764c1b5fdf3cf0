import { receivedUntil, slotOf } from '../backup/basebackup/receiver.js'
import { judgeBackups } from '../backup/judge-backups.js'
import { formatDuration } from '../duration.js'
import type { DrillRow } from '../drill/store.js'
import type { SeenBackup, SeenHost } from './read.js'
import type { ClusterHost, ClusterLimits, ClusterProblem } from './types.js'

/** The archive lags by archive_timeout and the way; five minutes are neither. */
const MAX_READY_SECONDS = 300
/** More than that, and times of recovery mean something else on each host. */
const MAX_CLOCK_OFFSET_MS = 5000
/** The primary and two standbys. */
const WANTED_COPIES = 3
const MS = 1000

/** What the rules look at. */
export interface ClusterView {
  databases: readonly SeenHost[]
  hosts: readonly ClusterHost[]
  backup: SeenBackup | undefined
  primary: string | null
  /** Undefined where there is not one primary. */
  copies: number | undefined
  locations: number | null
  /** Of each host and kind the last one, and the last that proved the data; the latest at the end. */
  drills: readonly DrillRow[]
  now: Date
}

/**
 * Holds what was seen against what should be. Pure. What could not be asked is no problem here: it is listed
 * apart, and is never taken for good.
 */
export function judgeCluster(view: ClusterView, limits: ClusterLimits): ClusterProblem[] {
  const problems = [
    ...primaryProblems(view),
    ...view.hosts.flatMap((host) => hostProblems(host, view, limits)),
    ...view.databases.flatMap((host) => archiveProblems(host, view.backup)),
    ...backupProblems(view, limits),
    ...drillProblems(view, limits),
    ...failedSnapshots(view),
    ...redundancyProblems(view),
  ]
  const isGrave = ({ severity }: ClusterProblem) => (severity === 'critical' ? 0 : 1)
  return problems.sort((a, b) => isGrave(a) - isGrave(b))
}

function critical(code: string, host: string | null, message: string): ClusterProblem {
  return { code, severity: 'critical', host, message }
}

function warning(code: string, host: string | null, message: string): ClusterProblem {
  return { code, severity: 'warning', host, message }
}

function primaryProblems({ hosts }: ClusterView): ClusterProblem[] {
  const primaries = hosts.filter(({ role }) => role === 'primary')
  const databases = hosts.filter(({ role }) => role !== 'backup')
  const silent = databases.filter(({ role }) => role === 'unknown').map(({ name }) => name)
  if (primaries.length > 1) {
    const told = primaries.map(({ name, timeline }) => `${name} (timeline ${timeline})`).join(', ')
    return [critical('split-brain', null, `more than one host takes writes: ${told}`)]
  }
  if (primaries.length === 1) return []
  const others = silent.length > 0 ? `; ${silent.join(', ')} did not answer` : ''
  return [critical('no-primary', null, `no host that answered takes writes${others}`)]
}

function hostProblems(
  host: ClusterHost,
  { hosts, primary }: ClusterView,
  { maxLagMs }: ClusterLimits,
): ClusterProblem[] {
  const { name, role, clockOffsetMs } = host
  const found: ClusterProblem[] = []
  if (role === 'down')
    found.push(critical('postgresql-down', name, 'PostgreSQL takes no connections'))
  if (clockOffsetMs !== null && Math.abs(clockOffsetMs) > MAX_CLOCK_OFFSET_MS) {
    const seconds = Math.round(Math.abs(clockOffsetMs) / MS)
    const way = clockOffsetMs > 0 ? 'ahead' : 'behind'
    found.push(warning('clock-off', name, `its clock is ${seconds} s ${way} of ours`))
  }
  const leader = hosts.find((each) => each.name === primary)
  if (leader !== undefined && host !== leader && role !== 'backup')
    found.push(...followerProblems(host, leader))
  const isLate = host.lagSeconds !== null && host.lagSeconds * MS > maxLagMs
  if (isLate) {
    const limit = formatDuration(maxLagMs)
    const seconds = Math.round(host.lagSeconds ?? 0)
    found.push(
      critical('lag', name, `${seconds} s late (${host.lagBytes} bytes), the limit is ${limit}`),
    )
  }
  if (role === 'standby' && host.isStreaming === false)
    found.push(critical('not-streaming', name, 'no WAL comes from the primary'))
  for (const slot of host.slots) {
    if (slot.walStatus === 'lost')
      found.push(
        critical('slot-lost', name, `slot ${slot.name} has lost WAL that its standby needs`),
      )
    else if (!slot.active && role === 'primary')
      found.push(
        warning('slot-inactive', name, `nobody reads slot ${slot.name}: WAL piles up for it`),
      )
  }
  return found
}

function followerProblems(host: ClusterHost, leader: ClusterHost): ClusterProblem[] {
  const { name, systemIdentifier, timeline } = host
  if (systemIdentifier !== null && systemIdentifier !== leader.systemIdentifier)
    return [critical('foreign-cluster', name, `it is another cluster than ${leader.name}`)]
  if (timeline !== null && host.role === 'standby' && timeline !== leader.timeline) {
    const message = `on timeline ${timeline}, ${leader.name} is on ${leader.timeline}`
    return [critical('other-timeline', name, message)]
  }
  return []
}

function archiveProblems(
  { host, seen }: SeenHost,
  backup: SeenBackup | undefined,
): ClusterProblem[] {
  if (seen === undefined || seen.state === 'down' || seen.facts.isInRecovery) return []
  const { archiver, synchronousNames, standbys } = seen.facts
  const found: ClusterProblem[] = []
  if (
    synchronousNames !== '' &&
    !standbys.some(({ syncState }) => /sync|quorum/.test(syncState) && syncState !== 'async')
  )
    found.push(
      critical(
        'no-synchronous-standby',
        host.name,
        'every commit waits: no synchronous standby is there',
      ),
    )
  if (backup?.host.basebackup) {
    if (receivedUntil(seen.facts, host.stanza) !== undefined) return found
    const message = `nobody receives its WAL by the slot ${slotOf(host.stanza)}`
    return [...found, critical('wal-not-received', host.name, message)]
  }
  if (archiver.mode === 'off')
    return [
      ...found,
      critical('archive-off', host.name, 'archive_mode is off: no WAL reaches the backups'),
    ]
  const { lastFailedSeconds, lastArchivedSeconds, oldestReadySeconds } = archiver
  const isFailing =
    lastFailedSeconds !== null &&
    (lastArchivedSeconds === null || lastFailedSeconds < lastArchivedSeconds)
  if (isFailing)
    found.push(
      critical('archive-failing', host.name, `archive_command fails for ${archiver.lastFailedWal}`),
    )
  // An archive_command that is not found ends the archiver before it counts a failure: the wait shows it.
  else if (oldestReadySeconds !== null && oldestReadySeconds > MAX_READY_SECONDS) {
    const message = `WAL waits to be archived for ${Math.round(oldestReadySeconds)} s (${archiver.readyCount} segments)`
    found.push(critical('archive-stuck', host.name, message))
  }
  return found
}

function backupProblems(
  { backup, hosts, primary, now }: ClusterView,
  { maxBackupAgeMs }: ClusterLimits,
): ClusterProblem[] {
  if (backup === undefined)
    return [critical('no-backup-host', null, 'no backup machine is recorded for this stanza')]
  const { host, stanza } = backup
  if (stanza === undefined) return []
  const found = judgeBackups(stanza, maxBackupAgeMs, now).map(({ code, message }) =>
    critical(code, host.name, message),
  )
  const leader = hosts.find(({ name }) => name === primary)
  const isForeign =
    stanza.backups.length > 0 &&
    leader?.systemIdentifier != null &&
    stanza.systemIdentifier !== leader.systemIdentifier
  if (isForeign)
    found.push(
      critical('backup-foreign', host.name, `the backups are of another cluster than ${primary}`),
    )
  return found
}

/** Without a backup there is nothing to drill. */
function drillProblems(
  { backup, drills, now }: ClusterView,
  { maxDrillAgeMs }: ClusterLimits,
): ClusterProblem[] {
  if (backup?.stanza === undefined || backup.stanza.backups.length === 0) return []
  const { name } = backup.host
  const mine = drills.filter(({ kind, host }) => kind === 'backup' && host === name)
  const last = mine.at(-1)
  if (last?.result === 'failed')
    return [critical('drill-failed', name, `the last drill of ${last.subject} failed`)]
  const proven = mine.filter(({ result }) => result === 'proven').at(-1)
  const isFresh = proven && now.getTime() - proven.endedAt.getTime() <= maxDrillAgeMs
  if (isFresh) return []
  const limit = formatDuration(maxDrillAgeMs)
  return [warning('no-drill', name, `no drill has proven a backup for ${limit}`)]
}

/** A snapshot need not be drilled; one that was and failed must not be counted on. */
function failedSnapshots({ databases, drills }: ClusterView): ClusterProblem[] {
  return databases.flatMap(({ host: { name } }) => {
    const last = drills.filter(({ kind, host }) => kind === 'snapshot' && host === name).at(-1)
    return last?.result === 'failed'
      ? [critical('drill-failed', name, `the last drill of the snapshot ${last.subject} failed`)]
      : []
  })
}

function redundancyProblems({
  copies,
  locations,
  hosts,
  databases,
}: ClusterView): ClusterProblem[] {
  // A host that did not answer may well have the data: it is listed as not checked.
  const isKnown = copies !== undefined && hosts.every(({ role }) => role !== 'unknown')
  const found: ClusterProblem[] = []
  if (isKnown && copies < Math.max(WANTED_COPIES, databases.length))
    found.push(warning('few-copies', null, `${copies} machines have the data and follow`))
  if (locations === 1) found.push(warning('one-location', null, 'everything stands in one place'))
  return found
}
