import { Socket } from 'node:net'
import type { Pool, PoolClient } from 'pg'
import { ConflictError, ExpectedError } from '../errors.js'
import type { Log } from '../workspace.js'
import { refusePooler } from './backend.js'
import type { Route, Routes } from './route.js'
import { SqlState, sqlStateOf } from './sqlstate.js'
import { cancelled, translateError } from './translate.js'

/** A route that works, with the pool of connections over it. */
export interface Way {
  pool: Pool
  route: Route
}

const NOT_WANTED = 'server-not-wanted'

/**
 * Tries the routes in order until one gives a connection to a server, with no pooler in between.
 * Throws what the first failure means to the user, or CancelledError once `signal` is aborted.
 */
export async function findWay(
  routes: Routes,
  given: { log: Log; signal: AbortSignal | undefined },
): Promise<Way> {
  const { log, signal } = given
  let failure: unknown
  let reason: unknown
  for (;;) {
    const choices = await routes.next(failure)
    if (choices.length === 0) throw reason
    // Of several routes the first is the one that was meant, so its failure is the one to tell.
    reason = undefined
    for (const [index, route] of choices.entries()) {
      if (signal?.aborted) throw cancelled(signal)
      const { pool, abandon } = await makePool(route, routes.question, log)
      try {
        await lookAt(await pool.connect(), route)
        return { pool, route }
      } catch (error) {
        abandon()
        failure = error
        reason ??= connectFailure(error, route, signal)
        if (!mayTryNext(error, choices[index + 1]?.place === route.place)) break
      }
    }
  }
}

/** Gives the connection back, whatever it was found to be. */
async function lookAt(client: PoolClient, { place }: Route): Promise<void> {
  // A lent connection that dies emits `error`, which would end the process if nobody heard it.
  const ignore = (): void => undefined
  client.on('error', ignore)
  try {
    await refusePooler(client, place)
  } finally {
    client.release()
    client.removeListener('error', ignore)
  }
}

/** What a failed attempt to connect over `route` means to the user. */
export function connectFailure(
  error: unknown,
  route: Route,
  signal: AbortSignal | undefined,
): unknown {
  return translateError(error, {
    place: route.place,
    role: route.config.user,
    isConnecting: true,
    signal,
  })
}

/** Whether the server behind a route is gone or has changed its part, so that looking again may help. */
export function isServerGone(error: unknown): boolean {
  if (error instanceof ExpectedError) return error.code === NOT_WANTED
  const state = sqlStateOf(error)
  return state === undefined || /^(?:08|57P)/.test(state)
}

/**
 * Whether the next route may do better. A refused login is final, but for the one case where the
 * server takes the same login without TLS (or only with it).
 */
function mayTryNext(error: unknown, isSamePlace: boolean): boolean {
  const state = sqlStateOf(error)
  if (state === SqlState.INVALID_AUTHORIZATION) return isSamePlace
  return isServerGone(error) || state === SqlState.TOO_MANY_CONNECTIONS
}

async function makePool(
  route: Route,
  question: string | undefined,
  log: Log,
): Promise<{ pool: Pool; abandon: () => void }> {
  const { default: pg } = await import('pg')
  const sockets = new Set<Socket>()
  const pool = new pg.Pool({
    ...route.config,
    stream: () => {
      const socket = new Socket()
      sockets.add(socket)
      return socket.once('close', () => sockets.delete(socket))
    },
    ...(question === undefined
      ? {}
      : {
          verify: (client, done) => {
            askWanted(client, question, route).then(() => done(), done)
          },
        }),
  })
  // An idle connection that dies leaves the pool by itself and the next use opens another one; but
  // an `error` event that nobody hears would end the process.
  pool.on('error', () => log.debug(`an idle connection to ${route.place} was lost`))
  return {
    pool,
    // A login that fails on this side, for want of a password, leaves the driver's connection open,
    // and the process would not end before the server closes it.
    abandon: () => {
      void pool.end().catch(() => undefined)
      for (const socket of sockets) socket.destroy()
    },
  }
}

async function askWanted(client: PoolClient, question: string, route: Route): Promise<void> {
  const { rows } = await client.query<{ answer: boolean }>(question)
  if (rows[0]?.answer === true) return
  throw new ConflictError(
    NOT_WANTED,
    `${route.place} is not a server of the kind that was asked for`,
    {
      suggestions: ['check target_session_attrs and the list of hosts'],
    },
  )
}
