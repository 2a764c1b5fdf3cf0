import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { EmbeddedSettings } from '../../config/settings.js'
import { FailureError } from '../../errors.js'
import type { Log } from '../../workspace.js'
import { ownerOf, serverAccount } from './account.js'
import type { Account } from './account.js'
import { answers } from './contact.js'
import { initialise, writeServerSettings } from './initialise.js'
import {
  choosePlace,
  chooseSocketFolder,
  dataFolder,
  logFile,
  prepareHome,
  preparePlace,
  serverFolder,
} from './place.js'
import { findPrograms } from './programs.js'
import { serverProcess, startServer, stopServer } from './server.js'
import { withStartLock } from './start-lock.js'
import { readState, writeState } from './state.js'
import type { Programs, State } from './state.js'

interface Given {
  log: Log
  signal: AbortSignal | undefined
}

/**
 * Makes sure that the server runs and has its database: whatever of making, starting and creating is
 * missing is done, by one process at a time. Running already is fine.
 */
export async function ensureRunning(settings: EmbeddedSettings, given: Given): Promise<State> {
  if (process.platform === 'win32') {
    throw new FailureError('embedded-unavailable', 'there is no embedded database on Windows', {
      suggestions: ['use a server: --database-url or CLEVERCTL_DATABASE_URL'],
    })
  }
  return underLock(settings, given, async (home) => {
    const known = await readState(home)
    if (known !== undefined && (await answers(known))) return known
    const state = await start(settings, home, known, given)
    await writeState(home, state)
    return state
  })
}

/** Stops the server of a home folder. Returns false when it did not run. */
export async function stopEmbedded(settings: EmbeddedSettings, given: Given): Promise<boolean> {
  const known = await readState(settings.home)
  if (known === undefined) return false
  return underLock(settings, given, async () => {
    const { place } = known
    const account = await ownerOf(serverFolder(place), await serverAccount())
    const programs = await choosePrograms(settings, { place, account, known })
    return stopServer(place, { programs, account })
  })
}

/** The embedded server of a home folder, as far as its files tell. */
export interface EmbeddedServer {
  programs: Programs
  dataDirectory: string
  logFile: string
  /** Undefined when it does not run. */
  processId: number | undefined
}

/** Looks whether there is an embedded server and whether it runs; undefined before the first start. */
export async function inspectEmbedded(
  settings: EmbeddedSettings,
): Promise<EmbeddedServer | undefined> {
  const state = await readState(settings.home)
  if (state === undefined) return undefined
  const { programs, place } = state
  return {
    programs,
    dataDirectory: dataFolder(place),
    logFile: logFile(place),
    processId: await serverProcess(place),
  }
}

async function underLock<Result>(
  settings: EmbeddedSettings,
  given: Given,
  work: (home: string) => Promise<Result>,
): Promise<Result> {
  try {
    const home = await prepareHome(settings.home)
    return await withStartLock(join(home, 'embedded.lock'), given, () => work(home))
  } catch (error) {
    throw fileFailure(error)
  }
}

async function start(
  settings: EmbeddedSettings,
  home: string,
  known: State | undefined,
  given: Given,
): Promise<State> {
  const { log, signal } = given
  const usual = await serverAccount()
  const place = known?.place ?? (await choosePlace(home, usual))
  const account = await ownerOf(serverFolder(place), usual)
  await preparePlace(place, account)
  const isNew = !existsSync(dataFolder(place))
  if (isNew) log.info(`making the embedded database in ${place}`)
  const programs = await choosePrograms(settings, { place, account, known })
  if (isNew) await initialise(place, { programs, account, signal })
  const socketFolder = await chooseSocketFolder(place, account)
  await writeServerSettings(place, socketFolder)
  log.debug(`starting the embedded database with the programs in ${programs.folder}`)
  const state = { home, place, socketFolder, uid: account.uid, programs }
  await startServer(place, { programs, account, signal, answers: () => answers(state) })
  if (!(await answers(state))) {
    throw new FailureError(
      'embedded-start-failed',
      'the embedded database started and does not answer',
    )
  }
  return state
}

/** The data folder decides the release, and where there is a choice the origin stays what it was. */
async function choosePrograms(
  settings: EmbeddedSettings,
  given: { place: string; account: Account; known: State | undefined },
): Promise<Programs> {
  const { place, account, known } = given
  const version = await readFile(join(dataFolder(place), 'PG_VERSION'), 'utf8').catch(
    () => undefined,
  )
  return findPrograms(settings, {
    major: version === undefined ? undefined : Number(version.trim()),
    preferred: known?.programs.origin,
    account,
    place,
  })
}

/** A file that cannot be made or read is the machine's state, not a bug of this program. */
function fileFailure(error: unknown): unknown {
  if (!(error instanceof Error && 'syscall' in error && 'code' in error)) return error
  const path = 'path' in error ? ` ${String(error.path)}` : ''
  return new FailureError(
    'embedded-unavailable',
    `the embedded database cannot use${path} (${String(error.code)})`,
    {
      suggestions: ['set CLEVERCTL_HOME to a folder of yours on a local disk'],
      cause: error,
    },
  )
}
