import { readFile } from 'node:fs/promises'
import { ConflictError, FailureError } from '../../errors.js'
import { lastWords } from '../../host/say.js'
import type { Basebackup } from '../../host/types.js'
import { packagedFile } from '../../packaged-file.js'
import { shellWord } from '../../shell-word.js'
import type { ScriptLimits, SshSession } from '../../ssh/session.js'
import type { ScriptResult } from '../../ssh/types.js'
import { parseLsn } from '../../cluster/lsn.js'
import { BACKUP_RUNNING } from '../failure.js'
import type { Backup, StanzaInfo } from '../info.js'
import { segmentName } from '../wal.js'
import { readFacts, type BasebackupFacts } from './facts.js'

/** Exit codes of engine.sh. */
export const SAID = { noDirectory: 66, busy: 75 } as const

/** A big cluster takes hours; a connection that is dead shows by the keepalive long before. */
const LONGEST_MS = 7 * 86_400_000
/** A list of a hundred thousand segments is some 5 MB. */
const LONGEST_LIST_BYTES = 512 * 1024 ** 2
const MS = 1000

/** Runs engine.sh on a backup machine. @returns how it ended, whatever its exit code */
export async function callEngine(
  session: SshSession,
  verb: string,
  words: readonly string[],
  limits: ScriptLimits = {},
): Promise<ScriptResult> {
  const stdin = await readFile(packagedFile('backup/basebackup/engine.sh'))
  return session.run(`exec sh -s ${[verb, ...words].map(shellWord).join(' ')}`, {
    stdin,
    timeoutMs: LONGEST_MS,
    maxOutputBytes: LONGEST_LIST_BYTES,
    ...limits,
  })
}

/** The same; what is no success is thrown. @throws ConflictError while a backup is being made, FailureError */
export async function requireEngine(
  session: SshSession,
  verb: string,
  words: readonly string[],
  limits: ScriptLimits = {},
): Promise<string> {
  const result = await callEngine(session, verb, words, limits)
  if (result.code === 0) return result.stdout.toString('utf8')
  throw (
    engineFailure(result, words[0] ?? '') ?? new FailureError('engine-failed', lastWords(result))
  )
}

/** What to tell where engine.sh did not begin; undefined where it did. */
export function engineFailure(
  result: ScriptResult,
  directory: string,
): ConflictError | FailureError | undefined {
  if (result.code === SAID.busy)
    return new ConflictError(
      BACKUP_RUNNING,
      `backups in ${directory} are being made or deleted already: ${lastWords(result)}`,
      { suggestions: ['wait for it: cleverctl backup status'] },
    )
  if (result.code === SAID.noDirectory)
    return new FailureError('no-directory', lastWords(result), {
      suggestions: [`install -d -m 700 ${directory}, as the user of the backups`],
    })
  return undefined
}

/**
 * Asks a backup machine for the backups that pg_basebackup made, in the words in which pgBackRest tells of its own.
 * @throws FailureError when the directory is not there or something in it cannot be read
 */
export async function askBasebackups(
  session: SshSession,
  { directory }: Basebackup,
): Promise<StanzaInfo> {
  return readBasebackups(await requireEngine(session, 'list', [directory]))
}

/** Reads what `engine.sh list` says. Pure. @throws FailureError for facts that are damaged */
export function readBasebackups(text: string): StanzaInfo {
  const lines = text.split('\n').map((line) => line.split('\t'))
  const facts = lines
    .filter(([kind]) => kind === 'backup')
    .map(([, label = '', json = '']) => readFacts(label, json))
  const backups = facts.map(backupOf).sort((a, b) => (a.label < b.label ? -1 : 1))
  const [, min, max] = lines.find(([kind]) => kind === 'archive') ?? []
  return {
    status: { code: 0, message: 'ok' },
    isBackingUp: lines.some(([kind]) => kind === 'busy'),
    isReceiving: lines.some(([kind]) => kind === 'receiving'),
    systemIdentifier: facts.at(-1)?.systemIdentifier ?? null,
    repositories: [{ number: 1, code: 0, message: 'ok', isEncrypted: null }],
    backups,
    archives: [...new Set(backups.map(({ archive }) => archive))].map((id) => ({
      ...{ repository: 1, id, min: min || null, max: max || null },
    })),
  }
}

function backupOf(raw: BasebackupFacts): Backup {
  const moment = (seconds: number) => new Date(seconds * MS).toISOString()
  const segment = (timeline: number, lsn: bigint) =>
    segmentName(timeline, lsn / BigInt(raw.segmentBytes), raw.segmentBytes)
  return {
    label: raw.label,
    type: 'full',
    prior: null,
    repository: 1,
    startedAt: moment(raw.startedAt),
    stoppedAt: moment(raw.stoppedAt),
    databaseBytes: raw.bytes,
    repositoryBytes: raw.bytes,
    archive: `${raw.version}-1`,
    walStart: segment(raw.startTimeline, parseLsn(raw.startLsn)),
    // The end is the first byte that is not needed.
    walStop: segment(raw.stopTimeline, parseLsn(raw.stopLsn) - 1n),
    lsnStop: raw.stopLsn,
    // pg_basebackup fails on a page whose checksum is wrong.
    hasErrors: raw.pageChecksums === 0 ? null : false,
  }
}
