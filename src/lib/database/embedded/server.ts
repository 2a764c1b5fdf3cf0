import { existsSync } from 'node:fs'
import { readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ConflictError, FailureError } from '../../errors.js'
import { shellWord } from '../../shell-word.js'
import type { Account } from './account.js'
import { isAlive, runDetaching } from './child.js'
import { settingsFile } from './initialise.js'
import { dataFolder, logFile, serverFolder } from './place.js'
import type { Programs } from './state.js'

/**
 * A killed server counts as running until the system has buried it and its children have ended. In a
 * container whose first process buries nobody that is for ever.
 */
const LEFT_BEHIND_MS = 10_000
const RETRY_MS = 250
/** Recovery after a crash with much to replay. */
const START_TIMEOUT_S = 60
const LARGE_LOG_BYTES = 8 * 1024 * 1024

/** Starts the server and waits until it takes connections. The server outlives this process. */
export async function startServer(
  place: string,
  given: {
    programs: Programs
    account: Account
    signal: AbortSignal | undefined
    /** Whether it takes connections; a start that was killed may have gone on without us. */
    answers: () => Promise<boolean>
  },
): Promise<void> {
  const { programs, account, signal, answers } = given
  await setLargeLogAside(place)
  const option = `-c config_file=${shellWord(settingsFile(place))}`
  const args = [
    '-D',
    dataFolder(place),
    '-l',
    logFile(place),
    '-w',
    '-t',
    String(START_TIMEOUT_S),
    '-s',
    '-o',
    option,
    'start',
  ]
  const deadline = Date.now() + LEFT_BEHIND_MS
  for (;;) {
    signal?.throwIfAborted()
    const isLeftBehind = existsSync(processFile(place))
    const code = await runDetaching(join(programs.folder, 'pg_ctl'), args, {
      account,
      folder: serverFolder(place),
    })
    if (code === 0 || (await answers())) return
    // What a killed server left may have gone while pg_ctl was refused because of it: look again.
    const pid = await serverProcess(place)
    if ((pid === undefined && !isLeftBehind) || Date.now() > deadline) throw startFailed(place, pid)
    await sleep(RETRY_MS)
  }
}

/** Stops the server; connections are ended, transactions rolled back. Returns false when it did not run. */
export async function stopServer(
  place: string,
  given: { programs: Programs; account: Account },
): Promise<boolean> {
  const pid = await serverProcess(place)
  if (pid === undefined) return false
  const args = [
    '-D',
    dataFolder(place),
    '-m',
    'fast',
    '-w',
    '-t',
    String(START_TIMEOUT_S),
    '-s',
    'stop',
  ]
  const code = await runDetaching(join(given.programs.folder, 'pg_ctl'), args, {
    account: given.account,
    folder: serverFolder(place),
  })
  if (code !== 0 && (await serverProcess(place)) !== undefined) {
    throw new FailureError(
      'embedded-stop-failed',
      `the embedded database (process ${pid}) did not stop`,
      {
        suggestions: [`look into ${logFile(place)}`],
      },
    )
  }
  return true
}

/** The process that holds the data folder; undefined when there is none. */
export async function serverProcess(place: string): Promise<number | undefined> {
  const text = await readFile(processFile(place), 'utf8').catch(() => '')
  const pid = Number(text.split('\n')[0])
  if (!Number.isInteger(pid) || pid <= 0) return undefined
  return isAlive(pid) ? pid : undefined
}

/** PostgreSQL's own note of the process that holds the data folder; removed when the server stops in order. */
const processFile = (place: string): string => join(dataFolder(place), 'postmaster.pid')

async function setLargeLogAside(place: string): Promise<void> {
  const log = logFile(place)
  const size = (await stat(log).catch(() => undefined))?.size ?? 0
  if (size > LARGE_LOG_BYTES) await rename(log, `${log}.1`)
}

function startFailed(place: string, pid: number | undefined): ConflictError | FailureError {
  if (pid !== undefined) {
    return new ConflictError(
      'embedded-held',
      `process ${pid} holds the embedded database and does not answer`,
      {
        suggestions: [
          'cleverctl database stop',
          `if process ${pid} is not PostgreSQL: remove ${processFile(place)}`,
        ],
      },
    )
  }
  return new FailureError('embedded-start-failed', 'the embedded database did not start', {
    suggestions: [`look into ${logFile(place)}`],
  })
}
