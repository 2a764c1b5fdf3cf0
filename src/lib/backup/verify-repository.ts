import type { SeenPostgresql } from '../cluster/ask.js'
import { FailureError } from '../errors.js'
import { parseLsn } from '../cluster/lsn.js'
import { lastWords } from '../host/say.js'
import type { SshSession } from '../ssh/session.js'
import { archivedSegment } from './archived.js'
import { REPOSITORY_STATUS, type Backup, type RepositoryStatus, type StanzaInfo } from './info.js'
import { readVerify, type Verified } from './verify-output.js'
import {
  findWalFaults,
  segmentNumber,
  timelineOf,
  type ArchivedFile,
  type Fork,
  type WalNeed,
} from './wal.js'

/** Errors of pgBackRest that say that a file is not what was written; with others it did not come to it. */
const DAMAGE = /^\[(?:Checksum|Crypto|FileInvalid|FileMissing|Format|JsonFormat)Error\]/
const LONGEST_MS = 7 * 86_400_000
/** A list of a hundred thousand segments is some 20 MB. */
const LONGEST_LIST_BYTES = 512 * 1024 ** 2

/**
 * Lets pgBackRest read every file of a repository, and looks for gaps in its WAL.
 * @yields what was found, part by part, so that it is not lost where a later part cannot be looked at
 * @throws FailureError where pgBackRest cannot look at it
 */
export async function* verifyRepository(
  session: SshSession,
  given: {
    stanza: string
    repository: RepositoryStatus
    info: StanzaInfo
    primary: SeenPostgresql | undefined
    segmentBytes: number
  },
): AsyncGenerator<Verified> {
  const { stanza, repository, info, primary, segmentBytes } = given
  const { number, code, message } = repository
  const unread =
    code === REPOSITORY_STATUS.other ? new FailureError('repository', message) : undefined
  // pgBackRest's verify would call it damaged.
  if (unread !== undefined && !DAMAGE.test(message)) throw unread
  const command = (words: string) =>
    `pgbackrest --stanza=${stanza} --repo=${number} --log-level-console=error ${words}`
  const output = await run(session, command('--output=text --verbose verify'))
  const { backups, archives } = info
  const said = readVerify(
    output,
    backups.map(({ label }) => label),
  )
  if (said === undefined)
    throw new FailureError('verify-unreadable', 'pgbackrest verify did not say how it ended', {
      suggestions: ['update pgBackRest on the backup machine'],
    })
  yield { segments: 0, faults: said }
  // Which backups it has is not known then, nor which WAL they need.
  if (unread !== undefined) throw unread
  const list = await run(session, command(`--output=json --recurse repo-ls archive/${stanza}`))
  const { files, histories } = readArchive(list)
  const forks: Fork[] = []
  for (const { archive, name } of histories) {
    const text = await run(session, command(`repo-get archive/${stanza}/${archive}/${name}`))
    forks.push(...forkOf(archive, name, text))
  }
  const needs = [
    ...backups.map((backup) => needOf(backup, segmentBytes)),
    ...archivedNeed(primary?.archiver.lastArchivedWal ?? null, archives.at(-1)?.id, segmentBytes),
  ]
  const gaps = findWalFaults({ files, forks, needs, segmentBytes })
  const none =
    backups.length === 0 ? [{ code: 'no-backup' as const, message: 'there is no backup' }] : []
  yield { segments: files.length, faults: [...none, ...gaps] }
}

function needOf({ archive, walStart, walStop }: Backup, segmentBytes: number): WalNeed {
  const [from, to] = [segmentNumber(walStart, segmentBytes), segmentNumber(walStop, segmentBytes)]
  return { archive, timeline: timelineOf(walStart), from, to }
}

function archivedNeed(
  lastWal: string | null,
  archive: string | undefined,
  segmentBytes: number,
): WalNeed[] {
  const segment = archivedSegment(lastWal)
  if (segment === undefined || archive === undefined) return []
  const at = segmentNumber(segment, segmentBytes)
  return [{ archive, timeline: timelineOf(segment), from: at, to: at }]
}

/** Reads `repo-ls --output=json --recurse` of the archive of a stanza. */
function readArchive(text: string): {
  files: ArchivedFile[]
  histories: { archive: string; name: string }[]
} {
  const list = JSON.parse(text) as Record<string, { type: string; size?: number }>
  const files: ArchivedFile[] = []
  const histories: { archive: string; name: string }[] = []
  for (const [path, { type, size = 0 }] of Object.entries(list)) {
    const [archive = '', ...rest] = path.split('/')
    const name = rest.at(-1) ?? ''
    if (type === 'file' && /^[0-9A-F]{24}-/.test(name)) files.push({ archive, name, bytes: size })
    if (/^[0-9A-F]{8}\.history$/.test(name)) histories.push({ archive, name })
  }
  return { files, histories }
}

/** The last line of a history file says which timeline was left, and where (PostgreSQL's timeline.c). */
function forkOf(archive: string, name: string, text: string): Fork[] {
  const lines = [...text.matchAll(/^\s*(\d+)\t([0-9A-F]+\/[0-9A-F]+)/gm)]
  const [, parent, lsn] = lines.at(-1) ?? []
  if (parent === undefined || lsn === undefined) return []
  const timeline = Number.parseInt(name.slice(0, 8), 16)
  return [{ archive, timeline, parent: Number(parent), lsn: parseLsn(lsn) }]
}

async function run(session: SshSession, script: string): Promise<string> {
  const limits = { timeoutMs: LONGEST_MS, maxOutputBytes: LONGEST_LIST_BYTES }
  const result = await session.run(`exec ${script}`, limits)
  if (result.code === 0) return result.stdout.toString('utf8')
  const verb = / (verify|repo-ls|repo-get)\b/.exec(script)?.[1] ?? ''
  throw new FailureError('pgbackrest-failed', `pgbackrest ${verb}: ${lastWords(result)}`)
}
