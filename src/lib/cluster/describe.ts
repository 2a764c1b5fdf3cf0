import type { DrillRow } from '../drill/store.js'
import type { SeenPostgresql } from './ask.js'
import { judgeCluster } from './judge.js'
import { primaryOf, type SeenBackup, type SeenCluster, type SeenHost } from './read.js'
import type {
  ClusterBackup,
  ClusterDrill,
  ClusterHost,
  ClusterLimits,
  ClusterRole,
  ClusterStatus,
} from './types.js'

const MS = 1000

/** What was seen of a cluster as people and scripts read it, judged. Pure. */
export function describeCluster(
  seen: SeenCluster,
  stanza: string,
  { limits, drills, now }: { limits: ClusterLimits; drills: readonly DrillRow[]; now: Date },
): ClusterStatus {
  const primary = primaryOf(seen.databases)
  const leader = primary?.seen?.state === 'up' ? primary.seen.facts : undefined
  const hosts = [
    ...seen.databases.map((each) => databaseHost(each, leader)),
    ...(seen.backup ? [backupHost(seen.backup)] : []),
  ].map((host) => ({ ...host, lastDrill: lastDrillOf(host.name, drills, now) }))
  const copies = hosts.filter((host) => isFollowing(host, leader)).length
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
    redundancy: { copies, hasBackup, locations },
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
): Omit<ClusterHost, 'lastDrill'> {
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

function backupHost({ host, stanza }: SeenBackup): Omit<ClusterHost, 'lastDrill'> {
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

function isFollowing(host: ClusterHost, leader: SeenPostgresql | undefined): boolean {
  if (leader === undefined || host.systemIdentifier !== leader.systemIdentifier) return false
  return host.role === 'primary' || (host.role === 'standby' && host.isStreaming === true)
}

function countLocations(hosts: readonly ClusterHost[]): number | null {
  const names = hosts.map(({ location }) => location)
  return names.includes(null) ? null : new Set(names).size
}

function lastDrillOf(name: string, drills: readonly DrillRow[], now: Date): ClusterDrill | null {
  const last = drills.filter(({ host }) => host === name).at(-1)
  if (last === undefined) return null
  const { subject, result, endedAt } = last
  const ageSeconds = Math.round((now.getTime() - endedAt.getTime()) / MS)
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
          ageSeconds: Math.round((now.getTime() - Date.parse(last.stoppedAt)) / MS),
        }
      : null,
  }
}
