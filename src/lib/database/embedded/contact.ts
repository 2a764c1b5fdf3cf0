import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'pg'
import { SqlState, sqlStateOf } from '../sqlstate.js'
import { translateError } from '../translate.js'
import { EMBEDDED_NAME } from './initialise.js'
import { SOCKET_PORT } from './place.js'
import { checkSocketFolder } from './state.js'
import type { State } from './state.js'

/** Recovery after a crash may keep the server busy for a while. */
const STARTING_UP_MS = 60_000
const POLL_MS = 25
/** On one machine only a server that hangs takes so long. */
const CONNECT_TIMEOUT_MS = 10_000

/** Login of the embedded server; every field is given, so the driver asks no environment. */
export function embeddedLogin(socketFolder: string, database: string) {
  return {
    host: socketFolder,
    port: SOCKET_PORT,
    user: EMBEDDED_NAME,
    database,
    password: '-',
    ssl: false,
    sslnegotiation: 'postgres',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  } as const
}

/** Whether the server takes connections; creates the database where a killed start left it out. */
export async function answers({ socketFolder, uid }: State): Promise<boolean> {
  if (!(await checkSocketFolder(socketFolder, uid))) return false
  const client = await connect(socketFolder)
  if (client === undefined) return false
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [
      EMBEDDED_NAME,
    ])
    if (rowCount === 0) await client.query(`create database ${EMBEDDED_NAME}`)
    return true
  } catch (error) {
    // What is left of a killed server may take a connection and drop it.
    if (isGone(error)) return false
    throw error
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** A connection to the server's own database; undefined when there is no server. */
async function connect(socketFolder: string): Promise<Client | undefined> {
  const { default: pg } = await import('pg')
  const login = embeddedLogin(socketFolder, 'postgres')
  const deadline = Date.now() + STARTING_UP_MS
  for (;;) {
    const client = new pg.Client(login)
    client.on('error', () => undefined)
    try {
      return await client.connect()
    } catch (error) {
      const state = sqlStateOf(error)
      if (isGone(error)) return undefined
      if (state !== SqlState.CANNOT_CONNECT_NOW || Date.now() > deadline) {
        throw translateError(error, {
          place: socketFolder,
          role: login.user,
          isConnecting: true,
          signal: undefined,
        })
      }
      await sleep(POLL_MS)
    }
  }
}

/** Not there, or going down at this moment: not an answer of a server that can be used. */
function isGone(error: unknown): boolean {
  const state = sqlStateOf(error)
  return (
    state === undefined || state === SqlState.ADMIN_SHUTDOWN || state === SqlState.CRASH_SHUTDOWN
  )
}
