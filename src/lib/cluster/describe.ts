import { ageSeconds, lastBackups } from '../backup/judge-backups.js'
import type { DrillRow } from '../drill/store.js'
import type { LastSnapshot } from '../snapshot/store.js'
import type { SeenPostgresql } from './ask.js'
import { judgeCluster } from './judge.js'
import { primaryOf, type SeenBackup, type SeenCluster, type SeenHost } from './read.js'
import type {
  ClusterBackup,
  ClusterDrill,
  ClusterHost,
  ClusterLimits,
  ClusterRole,
  ClusterSnapshot,
  ClusterStatus,
} from './types.js'

const MS = 1000

/** A host without what the database alone knows of it. */
type Unrecorded = Omit<ClusterHost, 'lastSnapshot' | 'lastDrill'>

/** What was seen of a cluster as people and scripts read it, judged. Pure. */
export function describeCluster(
  seen: SeenCluster,
  stanza: string,
  given: {
    limits: ClusterLimits
    drills: readonly DrillRow[]
    snapshots: readonly LastSnapshot[]
    now: Date
  },
): ClusterStatus {
  const { limits, drills, snapshots, now } = given
  const primary = primaryOf(seen.databases)
  const leader = primary?.seen?.state === 'up' ? primary.seen.facts : undefined
  const hosts = [
    ...seen.databases.map((each) => databaseHost(each, leader)),
    ...(seen.backup ? [backupHost(seen.backup)] : []),
  ].map((host) => ({
    ...host,
    lastSnapshot: lastSnapshotOf(host.name, snapshots, now),
    lastDrill: lastDrillOf(host.name, drills, now),
  }))
  const copies = leader && hosts.filter((host) => isFollowing(host, leader)).length
  const hasBackup = (seen.backup?.stanza?.backups.length ?? 0) > 0
  const locations = countLocations(hosts)
  const name = primary?.host.name ?? null
  const { databases, backup } = seen
  return {
    checkedAt: now.toISOString(),
    stanza,
    primary: name,
    hosts,
    backup: backup ? describeBackup(backup, now) : null,
    redundancy: {
      copies: copies ?? null,
      copiesReason:
        copies === undefined ? 'without one primary nobody can be seen to follow it' : null,
      hasBackup,
      locations,
    },
    problems: judgeCluster(
      { databases, hosts, backup, primary: name, copies, locations, drills, now },
      limits,
    ),
    notChecked: seen.notChecked.map(({ host, error }) => ({ host, reason: error.message })),
  }
}

function databaseHost(
  { host, seen, lag }: SeenHost,
  leader: SeenPostgresql | undefined,
): Unrecorded {
  const facts = seen?.state === 'up' ? seen.facts : undefined
  const peer = leader?.standbys.find(
    ({ name, address }) => name === host.name || address === host.address,
  )
  return {
    name: host.name,
    role: roleOf(seen),
    location: host.location,
    clockOffsetMs: seen?.clockOffsetMs ?? null,
    version: facts?.version ?? null,
    systemIdentifier: facts?.systemIdentifier ?? null,
    timeline: facts?.timeline ?? null,
    lsn: facts?.lsn ?? null,
    lagBytes: lag?.bytes ?? null,
    lagSeconds: lag?.seconds ?? null,
    isStreaming: facts?.isInRecovery === true ? facts.receiver === 'streaming' : null,
    syncState: facts?.isInRecovery === true ? (peer?.syncState ?? null) : null,
    slots: facts?.slots ?? [],
    archiver: facts?.archiver ?? null,
  }
}

function roleOf(seen: SeenHost['seen']): ClusterRole {
  if (seen === undefined) return 'unknown'
  if (seen.state === 'down') return 'down'
  return seen.facts.isInRecovery ? 'standby' : 'primary'
}

function backupHost({ host, stanza }: SeenBackup): Unrecorded {
  return {
    name: host.name,
    role: stanza === undefined ? 'unknown' : 'backup',
    location: host.location,
    clockOffsetMs: null,
    version: null,
    systemIdentifier: stanza?.systemIdentifier ?? null,
    timeline: null,
    lsn: null,
    lagBytes: null,
    lagSeconds: null,
    isStreaming: null,
    syncState: null,
    slots: [],
    archiver: null,
  }
}

function isFollowing(host: ClusterHost, leader: SeenPostgresql): boolean {
  if (host.systemIdentifier !== leader.systemIdentifier) return false
  return host.role === 'primary' || (host.role === 'standby' && host.isStreaming === true)
}

function countLocations(hosts: readonly ClusterHost[]): number | null {
  const names = hosts.map(({ location }) => location)
  return names.includes(null) ? null : new Set(names).size
}

function lastSnapshotOf(
  name: string,
  snapshots: readonly LastSnapshot[],
  now: Date,
): ClusterSnapshot | null {
  const last = snapshots.find(({ host }) => host === name)
  if (last === undefined) return null
  const { set, takenAt } = last
  return { set, takenAt: takenAt.toISOString(), ageSeconds: secondsSince(takenAt, now) }
}

function secondsSince(at: Date, now: Date): number {
  return Math.round((now.getTime() - at.getTime()) / MS)
}

function lastDrillOf(name: string, drills: readonly DrillRow[], now: Date): ClusterDrill | null {
  const last = drills.filter(({ host }) => host === name).at(-1)
  if (last === undefined) return null
  const { subject, result, endedAt } = last
  const ageSeconds = secondsSince(endedAt, now)
  return { subject, result, endedAt: endedAt.toISOString(), ageSeconds }
}

function describeBackup({ host, stanza }: SeenBackup, now: Date): ClusterBackup {
  const last = stanza?.backups.at(-1)
  return {
    host: host.name,
    status: stanza?.status.message ?? 'not checked',
    last: last
      ? {
          label: last.label,
          type: last.type,
          stoppedAt: last.stoppedAt,
          ageSeconds: ageSeconds(last, now),
        }
      : null,
    repositories: stanza ? lastBackups(stanza, now) : [],
  }
}
