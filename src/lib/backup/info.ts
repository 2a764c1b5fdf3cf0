import { FailureError, NotFoundError } from '../errors.js'
import { lastWords } from '../host/say.js'
import type { SshSession } from '../ssh/session.js'

/** The kinds of backups that pgBackRest makes. */
export const BACKUP_TYPES = ['full', 'diff', 'incr'] as const
/** One of {@link BACKUP_TYPES}. */
export type BackupType = (typeof BACKUP_TYPES)[number]

/** A backup in pgBackRest's repositories. */
export interface Backup {
  label: string
  type: BackupType
  /** The one that an incr or diff begins from; null for a full one. */
  prior: string | null
  /** Number of the repository that holds it. */
  repository: number
  startedAt: string
  stoppedAt: string
  /** Bytes of the database, and bytes that this backup added to the repository. */
  databaseBytes: number
  repositoryBytes: number
  /** Generation of the cluster in the archive, `15-1`; first and last WAL segment that it cannot do without. */
  archive: string
  walStart: string
  walStop: string
  /** The place in the WAL at which it is consistent. */
  lsnStop: string
  /** Pages whose checksum was wrong were copied: true means the data are damaged. Null where nobody looked. */
  hasErrors: boolean | null
}

/** Status codes of pgBackRest's `info` (its src/command/info/info.c). */
export const REPOSITORY_STATUS = {
  ok: 0,
  noStanzaPath: 1,
  noBackup: 2,
  noStanzaData: 3,
  /** Of a stanza whose repositories differ. */
  mixed: 4,
  other: 99,
} as const

/** How a repository stands, as one machine sees it. */
export interface RepositoryStatus {
  number: number
  /** 0 and `ok`, or what is wrong. */
  code: number
  message: string
  /** Null where that is not known. */
  isEncrypted: boolean | null
}

/** What pgBackRest knows of a stanza. */
export interface StanzaInfo {
  /** 0 and `ok`, or what is wrong. */
  status: { code: number; message: string }
  isBackingUp: boolean
  /** Whether WAL is being received there; null where the databases bring it by archive_command. */
  isReceiving: boolean | null
  /** Of the cluster that is backed up now. */
  systemIdentifier: string | null
  repositories: RepositoryStatus[]
  /** Oldest first. */
  backups: Backup[]
  /** First and last segment in the archive of each repository and generation of the cluster. */
  archives: { repository: number; id: string; min: string | null; max: string | null }[]
}

interface RawBackup {
  label: string
  type: BackupType
  prior: string | null
  database: { id: number; 'repo-key': number }
  timestamp: { start: number; stop: number }
  info: { size: number; repository: { delta?: number; size?: number } }
  archive: { start: string | null; stop: string | null }
  lsn?: { start: string; stop: string }
  error?: boolean
}

interface RawStanza {
  status: { code: number; message: string; lock?: { backup?: { held?: boolean } } }
  backup?: RawBackup[]
  db?: { id: number; 'repo-key': number; 'system-id': number | string; version: string }[]
  repo?: { key: number; cipher?: string; status: { code: number; message: string } }[]
  archive?: {
    id: string
    database: { 'repo-key': number }
    min: string | null
    max: string | null
  }[]
}

/** pgBackRest waits so long for a word of a cloud, and tries again as long where none comes. */
export const IO_TIMEOUT_S = 10
/** Of a cloud that does not answer it asks for several files, one after the other. */
export const LONGEST_MS = 300_000
/** Of what went wrong: what was wanted, and the reason. Hints for pgBackRest's own users follow. */
const TELLING_LINES = 2

/** A system identifier has more digits than a number of JSON keeps. */
const SYSTEM_ID = /("system-id":)(\d+)/g

/**
 * Asks pgBackRest on a backup machine what it has of a stanza.
 * @throws FailureError when pgBackRest is missing or fails
 */
export async function askStanza(session: SshSession, stanza: string): Promise<StanzaInfo> {
  const words = `--stanza=${stanza} --io-timeout=${IO_TIMEOUT_S} --output=json --log-level-console=error`
  const result = await session.run(`exec pgbackrest ${words} info`, { timeoutMs: LONGEST_MS })
  if (result.code !== 0)
    throw new FailureError('pgbackrest-failed', `pgbackrest info: ${lastWords(result)}`)
  return readStanza(result.stdout.toString('utf8'))
}

/** Reads `pgbackrest info --output=json` of one stanza (its command reference, "Info Command"). */
export function readStanza(text: string): StanzaInfo {
  const stanza = parseFirst(text)
  const { status, backup = [], db = [], repo = [], archive = [] } = stanza ?? {}
  if (status === undefined || repo.length === 0)
    throw new FailureError('pgbackrest-failed', 'pgbackrest info says nothing that can be read')
  const repositories = repo.map(({ key, cipher, status: { code, message } }) => ({
    number: key,
    code,
    message: message.split('\n', TELLING_LINES).join(' '),
    isEncrypted: cipher === undefined ? null : cipher !== 'none',
  }))
  return {
    status: { code: status.code, message: wordsOf(status, repositories) },
    isBackingUp: status.lock?.backup?.held === true,
    isReceiving: null,
    systemIdentifier: db.at(-1)?.['system-id'].toString() ?? null,
    repositories,
    backups: backup
      .map((each) => backupOf(each, db))
      .sort((a, b) => (a.stoppedAt < b.stoppedAt ? -1 : 1)),
    archives: archive.map(({ id, database, min, max }) => ({
      repository: database['repo-key'],
      id,
      min,
      max,
    })),
  }
}

/** Of repositories that differ pgBackRest says that they do, and here it is said which ones are not well. */
function wordsOf(
  { code, message }: RawStanza['status'],
  repositories: readonly RepositoryStatus[],
): string {
  if (code !== REPOSITORY_STATUS.mixed) return message
  return repositories
    .filter((each) => each.code !== REPOSITORY_STATUS.ok)
    .map((each) => `repository ${each.number}: ${each.message}`)
    .join('; ')
}

/**
 * The same of one repository alone. Pure.
 * @param host the backup machine
 * @throws NotFoundError where pgBackRest there does not know it
 */
export function inRepository(info: StanzaInfo, repository: number, host: string): StanzaInfo {
  const found = info.repositories.find(({ number }) => number === repository)
  if (found === undefined)
    throw new NotFoundError(
      'no-repository',
      `pgBackRest of ${host} knows no repository ${repository}`,
      {
        suggestions: ['cleverctl backup repo check'],
      },
    )
  const isThere = (each: { repository: number }) => each.repository === repository
  return {
    ...info,
    status: { code: found.code, message: found.message },
    repositories: [found],
    backups: info.backups.filter(isThere),
    archives: info.archives.filter(isThere),
  }
}

/** Undefined as well for what is no JSON: pgBackRest 2.45 quotes a file that it cannot read byte by byte. */
function parseFirst(text: string): RawStanza | undefined {
  try {
    return (JSON.parse(text.replace(SYSTEM_ID, '$1"$2"')) as RawStanza[])[0]
  } catch {
    return undefined
  }
}

function backupOf(raw: RawBackup, generations: NonNullable<RawStanza['db']>): Backup {
  const { label, type, prior, timestamp, info, archive, database } = raw
  const generation = generations.find(
    (each) => each.id === database.id && each['repo-key'] === database['repo-key'],
  )
  const moment = (seconds: number) => new Date(seconds * 1000).toISOString()
  return {
    label,
    type,
    prior,
    repository: database['repo-key'],
    startedAt: moment(timestamp.start),
    stoppedAt: moment(timestamp.stop),
    databaseBytes: info.size,
    repositoryBytes: info.repository.delta ?? info.repository.size ?? 0,
    archive: `${generation?.version ?? ''}-${database.id}`,
    walStart: archive.start ?? '',
    walStop: archive.stop ?? '',
    lsnStop: raw.lsn?.stop ?? '0/0',
    hasErrors: raw.error ?? null,
  }
}
