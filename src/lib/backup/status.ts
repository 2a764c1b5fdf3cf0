import { formatDuration } from '../duration.js'
import { FindingsError } from '../errors.js'
import { requirePlace } from '../file-system.js'
import { writeReport } from '../findings/report-file.js'
import type { Workspace } from '../workspace.js'
import type { Backup, StanzaInfo } from './info.js'
import { readBackups } from './list.js'
import { parsePingUrl, pinged } from './ping.js'

/** How the backups stand. */
export interface BackupStatus {
  host: string
  stanza: string
  checkedAt: string
  last: Backup | null
  ageSeconds: number | null
  isBackingUp: boolean
  problems: { code: string; message: string }[]
}

const MS = 1000

/**
 * Whether there is a fresh, sound backup, as the backup machine says.
 * @throws FindingsError when there is none, it is too old, or something is wrong with it; the status is its result
 * @throws what `readBackups` throws; UsageError for a bad ping URL
 */
export async function backupStatus(
  workspace: Workspace,
  asked: {
    stanza: string | undefined
    environment: NodeJS.ProcessEnv
    maxAgeMs: number
    prometheusFile: string | undefined
    pingUrl: string | undefined
  },
): Promise<BackupStatus> {
  const { clock, log } = workspace
  const { prometheusFile: file, maxAgeMs } = asked
  const url = asked.pingUrl === undefined ? undefined : parsePingUrl(asked.pingUrl)
  if (file !== undefined) await requirePlace(file)
  return pinged(url, log, false, async () => {
    const { host, stanza, info } = await readBackups(workspace, asked)
    const status = { host, stanza, ...judgeBackups(info, maxAgeMs, clock.now()) }
    if (file !== undefined) await writeReport(file, toPrometheus(status))
    const [first] = status.problems
    if (first === undefined) return status
    throw new FindingsError(first.code, first.message, {
      result: status,
      suggestions: ['cleverctl backup run'],
    })
  })
}

/** Holds what pgBackRest says against what should be. Pure. The gravest first. */
export function judgeBackups(
  info: StanzaInfo,
  maxAgeMs: number,
  now: Date,
): Omit<BackupStatus, 'host' | 'stanza'> {
  const last = info.backups.at(-1) ?? null
  const age = last && now.getTime() - Date.parse(last.stoppedAt)
  const problems: BackupStatus['problems'] = []
  if (last === null) problems.push({ code: 'no-backup', message: 'there is no backup' })
  else if (info.status.code !== 0)
    problems.push({ code: 'repository', message: `pgBackRest says: ${info.status.message}` })
  for (const { number, code, message } of info.repositories)
    if (last !== null && code !== 0)
      problems.push({ code: 'repository', message: `repository ${number}: ${message}` })
  if (last?.hasErrors === true) {
    const message = `${last.label} has pages with wrong checksums`
    problems.push({ code: 'backup-damaged', message })
  }
  if (info.isReceiving === false)
    problems.push({ code: 'wal-not-received', message: 'pg_receivewal does not run there' })
  if (age !== null && age > maxAgeMs) {
    const hours = (age / 3_600_000).toFixed(1)
    const message = `the last backup is ${hours} h old, the limit is ${formatDuration(maxAgeMs)}`
    problems.push({ code: 'backup-old', message })
  }
  return {
    checkedAt: now.toISOString(),
    last,
    ageSeconds: age === null ? null : Math.round(age / MS),
    isBackingUp: info.isBackingUp,
    problems,
  }
}

/** For the textfile collector of node_exporter. Without a backup there is no time of it. */
function toPrometheus({ stanza, last, checkedAt, problems }: BackupStatus): string {
  const samples = [
    ['checked_timestamp_seconds', 'when the backup machine was asked', Date.parse(checkedAt) / MS],
    ['problems', 'problems that were found', problems.length],
    ...(last
      ? [
          [
            'last_timestamp_seconds',
            'when the last backup was finished',
            Date.parse(last.stoppedAt) / MS,
          ] as const,
          ['last_bytes', 'what it added to the repository', last.repositoryBytes] as const,
        ]
      : []),
  ] as const
  return samples
    .map(([name, help, value]) => {
      const metric = `cleverctl_backup_${name}`
      return `# HELP ${metric} ${help}\n# TYPE ${metric} gauge\n${metric}{stanza="${stanza}"} ${value}\n`
    })
    .join('')
}
