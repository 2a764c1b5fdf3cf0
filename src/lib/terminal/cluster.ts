import type { SeenArchiver } from '../cluster/ask.js'
import type { ClusterHost, ClusterStatus } from '../cluster/types.js'
import { lastBackupFacts } from './repository.js'
import type { Mark, Screen } from './screen.js'

const MARKS: Record<ClusterHost['role'], Mark> = {
  primary: 'ok',
  standby: 'ok',
  backup: 'ok',
  down: 'failure',
  unknown: 'failure',
}

/** Draws how a cluster stands: the hosts, the backups, and what is wrong. */
export function drawCluster(screen: Screen, status: ClusterStatus): void {
  const { hosts, backup, redundancy, problems, notChecked } = status
  screen.table(hosts, [
    { title: 'HOST', text: ({ name }) => name },
    { title: 'ROLE', text: ({ role }) => role, mark: ({ role }) => MARKS[role] },
    { title: 'LAG', text: lagOf, value: ({ lagSeconds }) => String(lagSeconds ?? '-') },
    { title: 'BYTES', text: ({ lagBytes }) => String(lagBytes ?? '-'), align: 'right' },
    { title: 'TIMELINE', text: ({ timeline }) => String(timeline ?? '-'), align: 'right' },
    { title: 'LSN', text: ({ lsn }) => lsn ?? '-', isMinor: true },
    { title: 'SYNC', text: ({ syncState }) => syncState ?? '-' },
    {
      title: 'LAST SNAPSHOT',
      text: ({ lastSnapshot }) => (lastSnapshot ? screen.time(lastSnapshot.takenAt) : '-'),
    },
    {
      title: 'LAST DRILL',
      text: ({ lastDrill }) =>
        lastDrill ? `${lastDrill.result}, ${screen.time(lastDrill.endedAt)}` : '-',
    },
    { title: 'LOCATION', text: ({ location }) => location ?? '-', isMinor: true },
  ])
  const primary = hosts.find(({ name }) => name === status.primary)
  screen.facts([
    ['system identifier', primary?.systemIdentifier ?? '-'],
    ['slots', primary ? slotsOf(screen, primary) : '-'],
    [
      'WAL archive',
      primary?.archiver ? archiveOf(screen, primary.archiver, new Date(status.checkedAt)) : '-',
    ],
    ...lastBackupFacts(screen, backup?.repositories ?? []),
    [
      'machines with the data',
      redundancy.copies === null
        ? `unknown: ${redundancy.copiesReason}`
        : String(redundancy.copies),
    ],
    ['locations', String(redundancy.locations ?? 'not known')],
  ])
  for (const { code, severity, host, message } of problems)
    screen.mark(
      severity === 'critical' ? 'failure' : 'warning',
      host === null ? message : `${host}: ${message}`,
      code,
    )
  for (const { host, reason } of notChecked) screen.mark('failure', `not checked: ${reason}`, host)
  if (problems.length + notChecked.length === 0) screen.mark('ok', 'nothing is wrong')
}

function lagOf({ lagSeconds }: ClusterHost): string {
  return lagSeconds === null ? '-' : `${lagSeconds.toFixed(1)} s`
}

function slotsOf(screen: Screen, { slots }: ClusterHost): string {
  const told = slots.map(({ name, active, retainedBytes }) =>
    active ? name : `${name} (nobody reads it, ${screen.size(retainedBytes ?? 0)} kept)`,
  )
  return told.join(', ') || '-'
}

/** @param at when it was asked, from which its ages count */
function archiveOf(screen: Screen, archiver: SeenArchiver, at: Date): string {
  const { mode, lastArchivedWal, lastArchivedSeconds, readyCount, oldestReadySeconds } = archiver
  if (mode === 'off') return 'off'
  const before = (seconds: number | null) =>
    screen.time(seconds === null ? null : new Date(at.getTime() - seconds * 1000))
  const last = lastArchivedWal
    ? `${lastArchivedWal}, ${before(lastArchivedSeconds)}`
    : 'nothing yet'
  const waiting = `; ${readyCount} wait, the oldest from ${before(oldestReadySeconds)}`
  return readyCount === 0 ? last : last + waiting
}
