import { setTimeout as sleep } from 'node:timers/promises'
import type { EmbeddedSettings } from '../../config/settings.js'
import { ExpectedError } from '../../errors.js'
import type { Log } from '../../workspace.js'
import { commonConfig } from '../route.js'
import type { Route, Routes } from '../route.js'
import { SqlState, sqlStateOf } from '../sqlstate.js'
import { embeddedLogin } from './contact.js'
import { EMBEDDED_NAME } from './initialise.js'
import { checkSocketFolder, readState } from './state.js'
import { ensureRunning } from './supervisor.js'

/** A server that goes up and down under our hands is started again so often. */
const STARTS = 3
/** A server that is going down takes up to this long; one that recovers from a crash too. */
const PATIENCE_MS = 60_000
const POLL_MS = 25

/** The embedded database for people. */
export function describeEmbedded(settings: EmbeddedSettings): string {
  return `embedded in ${settings.home}`
}

/**
 * The way to the embedded database. A running one costs reading one small file; it is started only
 * when it does not answer.
 */
export function embeddedRoutes(
  settings: EmbeddedSettings,
  given: { log: Log; signal: AbortSignal | undefined; maxConnections: number | undefined },
): Routes {
  const route = (socketFolder: string): Route[] => [
    {
      place: describeEmbedded(settings),
      config: {
        ...commonConfig({ maxConnections: given.maxConnections, options: undefined }),
        ...embeddedLogin(socketFolder, EMBEDDED_NAME),
        application_name: 'cleverctl',
      },
    },
  ]
  let startsLeft = STARTS
  let deadline = 0
  return {
    question: undefined,
    next: async (failure) => {
      if (failure === undefined) {
        startsLeft = STARTS
        deadline = Date.now() + PATIENCE_MS
        const state = await readState(settings.home)
        if (state !== undefined && (await checkSocketFolder(state.socketFolder, state.uid))) {
          return route(state.socketFolder)
        }
      } else if (isBusy(failure)) {
        if (Date.now() > deadline) return []
        await sleep(POLL_MS)
      } else if (!isAbsent(failure) || startsLeft-- === 0) {
        return []
      }
      return route((await ensureRunning(settings, given)).socketFolder)
    },
  }
}

/** Going up or down at this moment. */
function isBusy(failure: unknown): boolean {
  const state = sqlStateOf(failure)
  return (
    state === SqlState.CANNOT_CONNECT_NOW ||
    state === SqlState.ADMIN_SHUTDOWN ||
    state === SqlState.CRASH_SHUTDOWN
  )
}

/** Not running, or killed before it had its database. */
function isAbsent(failure: unknown): boolean {
  if (failure instanceof ExpectedError) return false
  const state = sqlStateOf(failure)
  return state === undefined || state === SqlState.INVALID_CATALOG_NAME
}
