import { lastBackupSamples } from '../backup/metrics.js'
import { toTextfile, type Metric } from '../prometheus.js'
import type { ClusterHost, ClusterStatus } from './types.js'

/**
 * A status in Prometheus' text form, for the textfile collector of node_exporter. Whatever is not known has no
 * sample; `cleverctl_cluster_unchecked_hosts` tells that something was not.
 */
export function toPrometheus(status: ClusterStatus): string {
  return toTextfile(metricsOf(status))
}

function metricsOf(status: ClusterStatus): Metric[] {
  const { hosts, problems, notChecked, backup, redundancy, stanza } = status
  const cluster = (value: number) => [{ labels: { stanza }, value }]
  const databases = hosts.filter(({ name }) => name !== backup?.host)
  const each = (pick: (host: ClusterHost) => number | null) =>
    databases.flatMap((host) => {
      const value = pick(host)
      return value === null ? [] : [{ labels: { stanza, host: host.name }, value }]
    })
  const isPrimary = ({ role }: ClusterHost) => (role === 'primary' ? 1 : 0)
  return [
    gauge(
      'checked_timestamp_seconds',
      'when the cluster was looked at',
      cluster(Date.parse(status.checkedAt) / 1000),
    ),
    gauge('problems', 'problems that were found', cluster(problems.length)),
    gauge('unchecked_hosts', 'hosts that could not be asked', cluster(notChecked.length)),
    gauge(
      'copies',
      'database machines that have the data and follow',
      redundancy.copies === null ? [] : cluster(redundancy.copies),
    ),
    gauge(
      'primary',
      'whether the host takes writes',
      each((host) => (host.role === 'unknown' ? null : isPrimary(host))),
    ),
    gauge(
      'lag_bytes',
      'WAL that a standby has not replayed',
      each((host) => host.lagBytes),
    ),
    gauge(
      'lag_seconds',
      'how late a standby is at most',
      each((host) => host.lagSeconds),
    ),
    gauge(
      'last_backup_timestamp_seconds',
      'when the last backup was finished',
      backup?.last ? cluster(Date.parse(backup.last.stoppedAt) / 1000) : [],
    ),
    gauge(
      'repository_last_backup_timestamp_seconds',
      'when the last backup in the repository was finished',
      lastBackupSamples(stanza, backup?.repositories ?? []),
    ),
    gauge(
      'last_snapshot_timestamp_seconds',
      'when the last snapshot of the host was taken',
      each(({ lastSnapshot }) => (lastSnapshot ? Date.parse(lastSnapshot.takenAt) / 1000 : null)),
    ),
    gauge('last_drill_timestamp_seconds', 'when the last drill ended', drillSamples(status)),
  ]
}

/** The last drill of each host that proved its copy, or failed to. */
function drillSamples({ hosts, stanza }: ClusterStatus): Metric['samples'] {
  return hosts.flatMap(({ name, lastDrill }) =>
    lastDrill
      ? [
          {
            labels: { stanza, host: name, result: lastDrill.result },
            value: Date.parse(lastDrill.endedAt) / 1000,
          },
        ]
      : [],
  )
}

function gauge(name: string, help: string, samples: Metric['samples']): Metric {
  return { name: `cleverctl_cluster_${name}`, help, samples }
}
