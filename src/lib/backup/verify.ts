import type { SeenPostgresql } from '../cluster/ask.js'
import {
  ExitCode,
  FailureError,
  FindingsError,
  IncompleteError,
  UnreachableError,
} from '../errors.js'
import { findBackupHost } from '../host/backup-host.js'
import { onHost } from '../host/reach.js'
import { lastWords } from '../host/say.js'
import type { SshSession } from '../ssh/session.js'
import { recordInTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { archivedSegment, askPrimary } from './archived.js'
import { askBackups } from './ask.js'
import { verifyBasebackups } from './basebackup/verify.js'
import type { Backup, StanzaInfo } from './info.js'
import { readVerify, type RepositoryFault } from './verify-output.js'
import {
  findWalFaults,
  segmentNumber,
  timelineOf,
  type ArchivedFile,
  type Fork,
  type WalNeed,
} from './wal.js'
import { parseLsn } from '../cluster/lsn.js'

/** What was looked at, and what was found. */
export interface BackupVerification {
  host: string
  stanza: string
  checkedAt: string
  repositories: number
  backups: number
  walSegments: number
  faults: RepositoryFault[]
  /** What could not be looked at, and why. */
  notChecked: { what: string; reason: string }[]
}

const LONGEST_MS = 7 * 86_400_000
/** A list of a hundred thousand segments is some 20 MB. */
const LONGEST_LIST_BYTES = 512 * 1024 ** 2
const USUAL_SEGMENT_BYTES = 16 * 1024 ** 2

/**
 * Reads every file of every repository again, by pgBackRest or pg_verifybackup, and looks for gaps in the WAL itself,
 * which neither sees. Changes nothing there.
 * @throws FindingsError when something is damaged or missing; else IncompleteError when something could not be looked
 *   at; the verification is their result
 */
export async function verifyBackups(
  workspace: Workspace,
  asked: { stanza: string | undefined; environment: NodeJS.ProcessEnv },
): Promise<BackupVerification> {
  const { clock } = workspace
  const host = await findBackupHost(workspace, asked.stanza)
  const notChecked: BackupVerification['notChecked'] = []
  // Asked first: what it has handed over by now must be there afterwards.
  const answer = await askPrimary(workspace, host.stanza, asked.environment)
  if (answer instanceof Error)
    notChecked.push({ what: 'the end of the WAL', reason: answer.message })
  const primary = answer instanceof Error ? undefined : answer
  const verification: BackupVerification = {
    host: host.name,
    stanza: host.stanza,
    checkedAt: clock.now().toISOString(),
    repositories: 0,
    backups: 0,
    walSegments: 0,
    faults: [],
    notChecked,
  }
  await onHost(workspace, host, asked.environment, async (session) => {
    const info = await askBackups(session, host)
    verification.backups = info.backups.length
    for (const { number } of info.repositories) {
      workspace.signal.throwIfAborted()
      const { stanza, basebackup } = host
      const segmentBytes = primary?.walSegmentBytes ?? USUAL_SEGMENT_BYTES
      const found = basebackup
        ? await verifyBasebackups(workspace, session, {
            ...{ host, basebackup, info, primary, segmentBytes },
          })
        : await verifyRepository(session, { stanza, number, info, primary, segmentBytes })
      verification.repositories += 1
      verification.walSegments += found.segments
      verification.faults.push(...found.faults.map((each) => ({ repository: number, ...each })))
    }
  })
  await record(workspace, verification)
  return verdictOn(verification, answer instanceof UnreachableError)
}

async function verifyRepository(
  session: SshSession,
  given: {
    stanza: string
    number: number
    info: StanzaInfo
    primary: SeenPostgresql | undefined
    segmentBytes: number
  },
): Promise<{ segments: number; faults: Omit<RepositoryFault, 'repository'>[] }> {
  const { stanza, number, info, primary, segmentBytes } = given
  const command = (words: string) =>
    `pgbackrest --stanza=${stanza} --repo=${number} --log-level-console=error ${words}`
  const output = await run(session, command('--output=text --verbose verify'))
  const said = readVerify(output)
  if (said === undefined)
    throw new FailureError('verify-unreadable', 'pgbackrest verify did not say how it ended', {
      suggestions: ['update pgBackRest on the backup machine'],
    })
  const list = await run(session, command(`--output=json --recurse repo-ls archive/${stanza}`))
  const { files, histories } = readArchive(list)
  const forks: Fork[] = []
  for (const { archive, name } of histories) {
    const text = await run(session, command(`repo-get archive/${stanza}/${archive}/${name}`))
    forks.push(...forkOf(archive, name, text))
  }
  const backups = info.backups.filter(({ repository }) => repository === number)
  const current = info.archives.filter(({ repository }) => repository === number).at(-1)?.id
  const needs = [
    ...backups.map((backup) => needOf(backup, segmentBytes)),
    ...archivedNeed(primary?.archiver.lastArchivedWal ?? null, current, segmentBytes),
  ]
  const gaps = findWalFaults({ files, forks, needs, segmentBytes })
  const none =
    backups.length === 0 ? [{ code: 'no-backup' as const, message: 'there is no backup' }] : []
  return {
    segments: files.length,
    faults: [...none, ...said, ...gaps].map(({ code, message }) => ({ code, message })),
  }
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

async function record(
  workspace: Workspace,
  { host, stanza, repositories, backups, walSegments, faults, notChecked }: BackupVerification,
): Promise<void> {
  const details = { host, repositories, backups, walSegments, faults: faults.length, notChecked }
  await recordInTrail(workspace, {
    phase: 'outcome',
    action: 'backup.verify',
    subject: stanza,
    details: { ...details, first: faults[0]?.message ?? null },
  })
}

function verdictOn(verification: BackupVerification, isOutOfReach: boolean): BackupVerification {
  const { faults, notChecked } = verification
  const [first] = faults
  const [unchecked] = notChecked
  if (first !== undefined) {
    const others = faults.length > 1 ? ` (and ${faults.length - 1} more)` : ''
    throw new FindingsError('repository-damaged', `${first.message}${others}`, {
      result: verification,
      suggestions: ['cleverctl backup run --type full, so that a whole backup is there again'],
    })
  }
  if (unchecked === undefined) return verification
  const exitCode = isOutOfReach ? ExitCode.unreachable : ExitCode.failure
  throw new IncompleteError(exitCode, `could not look at ${unchecked.what}: ${unchecked.reason}`, {
    result: verification,
    suggestions: ['cleverctl cluster status'],
  })
}
