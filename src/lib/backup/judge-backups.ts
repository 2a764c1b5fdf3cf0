import { formatDuration } from '../duration.js'
import { REPOSITORY_STATUS, type Backup, type RepositoryStatus, type StanzaInfo } from './info.js'

/** How fresh the backups in a repository are. */
export interface RepositoryBackups {
  number: number
  /** `ok`, or what is wrong with it. */
  status: string
  last: Backup | null
  ageSeconds: number | null
}

/** Something that is wrong with the backups. */
export interface BackupProblem {
  code: 'no-backup' | 'repository' | 'backup-damaged' | 'backup-old' | 'wal-not-received'
  /** Number of the repository; null where there is one alone, or it is about all of them. */
  repository: number | null
  message: string
}

/** How the backups stand. */
export interface BackupStatus {
  host: string
  stanza: string
  checkedAt: string
  /** Of all repositories. */
  last: Backup | null
  ageSeconds: number | null
  repositories: RepositoryBackups[]
  isBackingUp: boolean
  problems: BackupProblem[]
}

const GRAVEST_FIRST: readonly BackupProblem['code'][] = [
  'no-backup',
  'repository',
  'backup-damaged',
  'backup-old',
]
const MS = 1000
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** The last backup in each repository. Pure. */
export function lastBackups(info: StanzaInfo, now: Date): RepositoryBackups[] {
  return info.repositories.map(({ number, message: status }) => {
    const last = lastIn(info, number) ?? null
    return { number, status, last, ageSeconds: last && ageSeconds(last, now) }
  })
}

/** How long ago a backup was finished. */
export function ageSeconds(backup: Backup, now: Date): number {
  return Math.round(ageOf(backup, now) / MS)
}

/**
 * Holds the backups of a stanza against what should be, each repository by itself: a fresh backup in one must not hide
 * that none came into another. Pure. The gravest first.
 */
export function judgeBackups(info: StanzaInfo, maxAgeMs: number, now: Date): BackupProblem[] {
  const { repositories, status } = info
  const isOne = repositories.length === 1
  const found = repositories.flatMap((repository): BackupProblem[] => {
    const where = isOne ? '' : ` in repository ${repository.number}`
    const last = lastIn(info, repository.number)
    const problems = [
      ...repositoryProblems(repository, last, where),
      ...(last ? lastProblems(last, where, { maxAgeMs, now }) : []),
    ]
    return problems.map((each) => ({ ...each, repository: isOne ? null : repository.number }))
  })
  // What is said of the stanza is said of a repository as well, or that they differ: else it is something of its own.
  const known: number[] = [REPOSITORY_STATUS.ok, REPOSITORY_STATUS.mixed]
  if (!known.concat(repositories.map(({ code }) => code)).includes(status.code)) {
    const message = `pgBackRest says: ${status.message}`
    found.push({ code: 'repository', repository: null, message })
  }
  const rank = ({ code }: BackupProblem) => GRAVEST_FIRST.indexOf(code)
  return found.sort((a, b) => rank(a) - rank(b))
}

type Found = Omit<BackupProblem, 'repository'>

function lastIn({ backups }: StanzaInfo, number: number): Backup | undefined {
  return backups.filter(({ repository }) => repository === number).at(-1)
}

function ageOf({ stoppedAt }: Backup, now: Date): number {
  return now.getTime() - Date.parse(stoppedAt)
}

/** Of one that cannot be read nobody knows whether it has a backup. */
function repositoryProblems(
  { number, code, message }: RepositoryStatus,
  last: Backup | undefined,
  where: string,
): Found[] {
  const { ok, noBackup, other } = REPOSITORY_STATUS
  if (last === undefined && code !== other) {
    const reason = code === ok || code === noBackup ? '' : `: ${message}`
    return [{ code: 'no-backup', message: `there is no backup${where}${reason}` }]
  }
  return code === ok ? [] : [{ code: 'repository', message: `repository ${number}: ${message}` }]
}

function lastProblems(
  last: Backup,
  where: string,
  { maxAgeMs, now }: { maxAgeMs: number; now: Date },
): Found[] {
  const found: Found[] = []
  if (last.hasErrors === true) {
    const message = `${last.label} has pages with wrong checksums`
    found.push({ code: 'backup-damaged', message })
  }
  const age = ageOf(last, now)
  if (age > maxAgeMs) {
    const limit = formatDuration(maxAgeMs)
    const message = `the last backup${where} is ${wordsOfAge(age)} old, the limit is ${limit}`
    found.push({ code: 'backup-old', message })
  }
  return found
}

/** In the unit in which a limit of that size is given. */
function wordsOfAge(ms: number): string {
  if (ms >= HOUR_MS) return `${(ms / HOUR_MS).toFixed(1)} h`
  return ms >= MINUTE_MS ? `${Math.floor(ms / MINUTE_MS)} min` : `${Math.floor(ms / MS)} s`
}
