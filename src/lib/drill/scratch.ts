import { readFile } from 'node:fs/promises'
import type { Random } from '../clock.js'
import { ConflictError, FailureError, UsageError } from '../errors.js'
import { lastWords } from '../host/say.js'
import { packagedFile } from '../packaged-file.js'
import { shellWord } from '../shell-word.js'
import type { ScriptLimits, SshSession } from '../ssh/session.js'
import type { ScriptResult } from '../ssh/types.js'

/** How a program in a scratch place is given what it needs. */
export interface Scratch {
  /** Where the drill takes place, on the machine. */
  readonly place: string
  /** Bytes that were free there at its beginning. */
  readonly freeBytes: number
  /** Runs a program in it, to its end. */
  run(words: readonly string[], limits?: ScriptLimits): Promise<ScriptResult>
  /**
   * Starts PostgreSQL from what is in `data`, and waits until recovery stands still at its target or has ended.
   * @returns undefined; or the last words of a server that did not come so far
   */
  start(given: {
    programs: string
    wanted: 'paused' | 'promoted'
    settings: Readonly<Record<string, string>>
  }): Promise<string | undefined>
  /** Ends a recovery that stands still. @returns as {@link start} does */
  promote(programs: string): Promise<string | undefined>
  /** Sends statements to the server. @returns what psql prints, unaligned @throws FailureError when one fails */
  sql(programs: string, database: string, statements: string): Promise<string>
  /** Stops the server in order. */
  stop(): Promise<void>
}

const TOKEN_BYTES = 12
const OTHERS = 65
const SERVER_ENDED = 66
const KIBIBYTE = 1024
/** A restore of a big cluster, and the recovery after it, take hours. */
const LONGEST_MS = 7 * 86_400_000
/** A check that finds much says much; the first of it is enough. */
const LONGEST_OUTPUT_BYTES = 512 * 1024 ** 2

/** Whatever of the original would reach out of the place, or wait for somebody who is not there. */
const ALONE = {
  listen_addresses: '',
  ssl: 'off',
  archive_mode: 'off',
  primary_conninfo: '',
  primary_slot_name: '',
  synchronous_standby_names: '',
  max_logical_replication_workers: '0',
  'cron.launch_active_jobs': 'off',
  autovacuum: 'off',
  external_pid_file: '',
  logging_collector: 'off',
  log_destination: 'stderr',
  log_line_prefix: '',
  lc_messages: 'C',
  hot_standby: 'on',
  // The machine need not be as big as the one that the data come from.
  shared_buffers: '128MB',
  huge_pages: 'off',
}

const PATH_FORM = /^\/(?:[A-Za-z0-9._-]+\/)*[A-Za-z0-9._-]+$/

/** The folder of a drill below the one that was named. @throws UsageError for a name that a shell may misread */
export function placeIn(directory: string, name: string): string {
  const hasDots = directory.split('/').some((part) => part === '.' || part === '..')
  if (PATH_FORM.test(directory) && !hasDots) return `${directory}/cleverctl-drill-${name}`
  throw new UsageError(
    'bad-directory',
    'a directory is an absolute path of letters, digits, dots, hyphens and underscores, without a slash at its end',
  )
}

/**
 * Takes a place on a machine for a drill, works in it and throws it away, whatever comes. What a killed drill has left
 * there is thrown away first. When the connection ends, the machine throws it away by itself.
 * @param place made by {@link placeIn}
 * @throws ConflictError when something else is there, FailureError when the place cannot be made
 */
export async function withScratch<Result>(
  session: SshSession,
  random: Random,
  place: string,
  work: (scratch: Scratch) => Promise<Result>,
): Promise<Result> {
  const token = random.bytes(TOKEN_BYTES).toString('hex')
  const script = await readFile(packagedFile('drill/scratch.sh'))
  const begun = await session.run(
    `SCRIPT=$(cat); export SCRIPT; exec sh -c "$SCRIPT" sh begin ${place} ${token}`,
    { stdin: script, timeoutMs: LONGEST_MS },
  )
  if (begun.code === OTHERS)
    throw new ConflictError('place-taken', lastWords(begun), {
      suggestions: ['look at it and remove it, or name another --directory'],
    })
  if (begun.code !== 0)
    throw new FailureError('no-place', `no place for a drill: ${lastWords(begun)}`)
  const freeBytes = Number(begun.stdout.toString('utf8').trim()) * KIBIBYTE
  try {
    return await work(scratchOf(session, place, freeBytes))
  } finally {
    // Without a connection the machine does it.
    const end = `exec sh ${place}/drill.sh end ${place} ${token}`
    await session.run(end, { timeoutMs: LONGEST_MS }).catch(() => undefined)
  }
}

function scratchOf(session: SshSession, place: string, freeBytes: number): Scratch {
  const call = (verb: string, words: readonly string[], limits: ScriptLimits = {}) =>
    session.run([`exec sh ${place}/drill.sh ${verb} ${place}`, ...words.map(shellWord)].join(' '), {
      timeoutMs: LONGEST_MS,
      maxOutputBytes: LONGEST_OUTPUT_BYTES,
      ...limits,
    })
  return {
    place,
    freeBytes,
    run: (words, limits) => call('run', words, limits),
    async start({ programs, wanted, settings }) {
      const all = {
        ...ALONE,
        unix_socket_directories: `${place}/socket`,
        hba_file: `${place}/hba.conf`,
        ident_file: `${place}/ident.conf`,
        ...settings,
      }
      const options = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
      return endOf(await call('start', [programs, wanted, ...options]))
    },
    promote: async (programs) => endOf(await call('promote', [programs])),
    async sql(programs, database, statements) {
      const result = await call('sql', [programs, database], { stdin: Buffer.from(statements) })
      if (result.code === 0) return result.stdout.toString('utf8')
      throw new FailureError('psql-failed', `psql on the scratch server: ${lastWords(result)}`)
    },
    async stop() {
      await call('stop', [])
    },
  }
}

function endOf(result: ScriptResult): string | undefined {
  if (result.code === 0) return undefined
  if (result.code === SERVER_ENDED) return lastWords(result).replace(/^(?:FATAL|PANIC): +/, '')
  throw new FailureError('start-failed', `PostgreSQL could not be started: ${lastWords(result)}`)
}
