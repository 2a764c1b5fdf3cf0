import type { SeenPostgresql } from '../../cluster/ask.js'
import { isLsn, parseLsn } from '../../cluster/lsn.js'
import { findPrograms } from '../../drill/programs.js'
import { FailureError } from '../../errors.js'
import { lastWords } from '../../host/say.js'
import type { HostRow } from '../../host/store.js'
import type { Basebackup } from '../../host/types.js'
import type { SshSession } from '../../ssh/session.js'
import type { Workspace } from '../../workspace.js'
import type { Backup, StanzaInfo } from '../info.js'
import {
  findWalFaults,
  segmentNumber,
  timelineOf,
  type ArchivedFile,
  type Fork,
  type WalNeed,
} from '../wal.js'
import type { Verified } from '../verify-output.js'
import { callEngine, requireEngine } from './on-host.js'
import { receivedUntil } from './receiver.js'

/** pg_verifybackup ends so when a file is not what the manifest says. */
const FOUND = 1

/**
 * Lets pg_verifybackup read every backup, and looks for gaps in the WAL that was received.
 * @param given.primary undefined where it could not be asked: the end of the WAL is not looked at
 * @yields what was found, part by part, so that it is not lost where a later part cannot be looked at
 * @throws FailureError for what cannot be looked at
 */
export async function* verifyBasebackups(
  { signal }: Workspace,
  session: SshSession,
  given: {
    host: HostRow
    basebackup: Basebackup
    info: StanzaInfo
    primary: SeenPostgresql | undefined
    segmentBytes: number
  },
): AsyncGenerator<Verified> {
  const { host, basebackup, info, primary, segmentBytes } = given
  if (info.backups.length === 0)
    yield { segments: 0, faults: [{ code: 'no-backup', message: 'there is no backup' }] }
  const programs = new Map<string, string>()
  for (const { label, archive } of info.backups) {
    signal.throwIfAborted()
    const version = archive.split('-')[0] ?? ''
    const folder = programs.get(version) ?? (await findPrograms(session, version))
    programs.set(version, folder)
    const faults = await verifyOne(session, [basebackup.directory, folder, label])
    yield { segments: 0, faults }
  }
  const archive = info.archives.at(-1)?.id ?? ''
  const { files, forks } = readWal(
    await requireEngine(session, 'wal', [basebackup.directory]),
    archive,
  )
  const until = primary && receivedUntil(primary, host.stanza)
  const faults: Verified['faults'] = []
  if (primary !== undefined && until === undefined)
    faults.push({ code: 'wal-not-received', message: 'nobody receives the WAL of the primary' })
  const end =
    primary === undefined || until === undefined
      ? []
      : [endOf(archive, primary.timeline, until, segmentBytes)]
  const seen = { files, forks, end, segmentBytes }
  const needs = [...info.backups.flatMap((backup) => needAfter(backup, seen)), ...end]
  faults.push(...findWalFaults({ files, forks, needs, segmentBytes }))
  yield { segments: files.length, faults }
}

async function verifyOne(
  session: SshSession,
  words: [directory: string, programs: string, label: string],
): Promise<Verified['faults']> {
  const label = words[2]
  const result = await callEngine(session, 'verify', words)
  if (result.code === 0) return []
  if (result.code !== FOUND)
    throw new FailureError('verify-failed', `pg_verifybackup of ${label}: ${lastWords(result)}`)
  const lines = result.stdout.toString('utf8').split('\n').filter(Boolean)
  return lines.map((line) => ({
    code: 'backup-invalid',
    message: `backup ${label}: ${line.replace(/^pg_verifybackup: (?:error: )?/, '')}`,
  }))
}

/** The last segment that the primary knows to be received whole. */
function endOf(archive: string, timeline: number, until: bigint, segmentBytes: number): WalNeed {
  const at = until / BigInt(segmentBytes) - 1n
  return { archive, timeline, from: at, to: at }
}

/**
 * What the archive must have for a backup, which brings along the WAL up to its end: the segment of the next byte, from
 * which on the walk looks for gaps. Pure. That one is whole only once the primary went on to the next one, and never on a
 * timeline that was left in it; then nothing is needed.
 */
export function needAfter(
  { archive, walStop, lsnStop }: Pick<Backup, 'archive' | 'walStop' | 'lsnStop'>,
  seen: {
    files: readonly ArchivedFile[]
    forks: readonly Fork[]
    end: readonly WalNeed[]
    segmentBytes: number
  },
): WalNeed[] {
  const { files, forks, end, segmentBytes } = seen
  const timeline = timelineOf(walStop)
  const at = parseLsn(lsnStop) / BigInt(segmentBytes)
  const onIt = files
    .filter(({ name }) => timelineOf(name) === timeline)
    .map(({ name }) => segmentNumber(name, segmentBytes))
  const last = [...onIt, ...end.filter((each) => each.timeline === timeline).map(({ to }) => to)]
  const isLeft = forks.some(
    ({ parent, lsn }) => parent === timeline && lsn / BigInt(segmentBytes) <= at,
  )
  const isWhole = last.some((number) => number >= at)
  return isWhole && !isLeft ? [{ archive, timeline, from: at, to: at }] : []
}

/**
 * Reads what `engine.sh wal` says; what is still being written counts for nothing. Pure.
 * @throws FailureError for a history file that does not say where a timeline left another
 */
export function readWal(text: string, archive: string): { files: ArchivedFile[]; forks: Fork[] } {
  const lines = text.split('\n').map((line) => line.split('\t'))
  const files = lines
    .filter(([kind, name]) => kind === 'file' && /^[0-9A-F]{24}$/.test(name ?? ''))
    .map(([, name = '', bytes]) => ({ archive, name, bytes: Number(bytes) }))
  const forks = lines
    .filter(([kind]) => kind === 'fork')
    .map(([, name = '', parent = '', lsn]) => {
      if (!/^[0-9A-F]{8}\.history$/.test(name) || !/^ *\d+$/.test(parent) || !isLsn(lsn))
        throw new FailureError('history-unreadable', `${name} in the WAL cannot be read`, {
          suggestions: ['copy it from pg_wal of the primary'],
        })
      return { archive, timeline: timelineOf(name), parent: Number(parent), lsn: parseLsn(lsn) }
    })
  return { files, forks }
}
