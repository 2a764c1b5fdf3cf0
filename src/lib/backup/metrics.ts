import type { Metric } from '../prometheus.js'
import type { BackupStatus, RepositoryBackups } from './judge-backups.js'

const MS = 1000

/** The status of backups for the textfile collector of node_exporter. Without a backup there is no time of it. */
export function backupMetrics(status: BackupStatus): Metric[] {
  const { stanza, last, checkedAt, repositories, problems } = status
  const gauge = (name: string, help: string, samples: Metric['samples']): Metric => ({
    ...{ name: `cleverctl_backup_${name}`, help, samples },
  })
  const one = (value: number) => [{ labels: { stanza }, value }]
  return [
    gauge(
      'checked_timestamp_seconds',
      'when the backup machine was asked',
      one(Date.parse(checkedAt) / MS),
    ),
    gauge('problems', 'problems that were found', one(problems.length)),
    gauge(
      'last_timestamp_seconds',
      'when the last backup was finished',
      last ? one(Date.parse(last.stoppedAt) / MS) : [],
    ),
    gauge('last_bytes', 'what it added to the repository', last ? one(last.repositoryBytes) : []),
    gauge(
      'repository_last_timestamp_seconds',
      'when the last backup in the repository was finished',
      lastBackupSamples(stanza, repositories),
    ),
  ]
}

/** When the last backup in each repository was finished. */
export function lastBackupSamples(
  stanza: string,
  repositories: readonly RepositoryBackups[],
): Metric['samples'] {
  return repositories.flatMap(({ number, last }) => {
    const labels = { stanza, repository: String(number) }
    return last ? [{ labels, value: Date.parse(last.stoppedAt) / MS }] : []
  })
}
