import { FindingsError } from '../errors.js'
import { requirePlace } from '../file-system.js'
import { writeReport } from '../findings/report-file.js'
import { toTextfile } from '../prometheus.js'
import type { Workspace } from '../workspace.js'
import type { StanzaInfo } from './info.js'
import {
  ageSeconds,
  judgeBackups,
  lastBackups,
  type BackupProblem,
  type BackupStatus,
} from './judge-backups.js'
import { readBackups, type BackupsQuestion } from './list.js'
import { backupMetrics } from './metrics.js'
import { parsePingUrl, pinged } from './ping.js'

/**
 * Whether there is a fresh, sound backup in every repository, as the backup machine says.
 * @throws FindingsError when there is none, it is too old, or something is wrong with it; the status is its result
 * @throws what `readBackups` throws; UsageError for a bad ping URL
 */
export async function backupStatus(
  workspace: Workspace,
  asked: BackupsQuestion & {
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
    const status = { host, stanza, ...describe(info, maxAgeMs, clock.now()) }
    if (file !== undefined) await writeReport(file, toTextfile(backupMetrics(status)))
    const [first] = status.problems
    if (first === undefined) return status
    throw new FindingsError(first.code, first.message, {
      result: status,
      suggestions: [nextStep(first)],
    })
  })
}

function nextStep({ code, repository }: BackupProblem): string {
  if (code === 'repository') return `cleverctl backup repo check ${repository ?? ''}`.trimEnd()
  return repository === null ? 'cleverctl backup run' : `cleverctl backup run --repo ${repository}`
}

function describe(
  info: StanzaInfo,
  maxAgeMs: number,
  now: Date,
): Omit<BackupStatus, 'host' | 'stanza'> {
  const last = info.backups.at(-1) ?? null
  const problems = judgeBackups(info, maxAgeMs, now)
  if (info.isReceiving === false)
    problems.push({
      code: 'wal-not-received',
      repository: null,
      message: 'pg_receivewal does not run there',
    })
  return {
    checkedAt: now.toISOString(),
    last,
    ageSeconds: last && ageSeconds(last, now),
    repositories: lastBackups(info, now),
    isBackingUp: info.isBackingUp,
    problems,
  }
}
