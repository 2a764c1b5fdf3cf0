import { Socket } from 'node:net'
import type { ClientConfig } from 'pg'
import type { Database } from '../../database/database.js'
import { sqlStateOf, SqlState } from '../../database/sqlstate.js'
import { CancelledError, ExpectedError, FailureError } from '../../errors.js'
import { errorCode } from '../../file-system.js'
import { parseAddress } from '../../network.js'
import { decidingRules } from '../hba/match.js'
import type { Attempt, HbaRule } from '../hba/types.js'
import { REACH_PARTS } from './reach.js'
import { hbaFacts, type ReadParts, type ServerParts } from './server.js'
import { select } from './server-store.js'

/** How far a connection came: refused before anything was asked for, asked for a password, or let in. */
export type Reach = 'refused' | 'asked' | 'in'

/** One connection that was tried from this machine. */
export interface Probe {
  attempt: Attempt
  reach: Reach
  /** What the simulation says; several where it does not know. */
  expected: readonly Reach[]
}

/** Rules that ask for a password; what other methods ask for was not brought along. */
const ASKING = ['scram-sha-256', 'md5', 'password', 'ldap', 'radius', 'pam', 'bsd']
/** A role that no server has. */
const STRANGER = 'cleverctl_probe_of_a_stranger'
const WAIT_MS = 5000
/** What OpenSSL calls it when a server does not take a certificate: of whom it does not know, revoked, over. */
const REFUSED_CERTIFICATE = /^ERR_SSL_\w+_ALERT_(UNKNOWN_CA|\w*CERTIFICATE\w*)$/
/** What stands for the question for a password, which nobody answers. */
const ASKED = 'a password is asked for'

/**
 * Tries to connect over the network as every role that can log in and as one that nobody has, to every database
 * and for replication, with and without TLS. No password is ever sent: a connection ends when one is asked for.
 * The server's log has a line for each.
 * @throws FailureError where nothing can be tried, and the error of a part that is needed for it
 */
export async function probeServer(
  database: Database,
  read: ReadParts,
  signal: AbortSignal,
): Promise<Probe[]> {
  const { server, roles, memberships, databases, hba, settings } = requireParts(read)
  const [own] = await select<{ address: string | null }>(
    database,
    'select host(inet_client_addr()) as address',
  )
  const from = parseAddress(own?.address ?? '')
  if (!from)
    throw new FailureError(
      'not-over-network',
      'the connection is by the unix socket: name the server by its address to try connections',
    )
  const facts = hbaFacts({ server, memberships, hba })
  const config = await configOf(database)
  const places = [...databases.map(({ name }) => name), undefined]
  const names = [...roles.filter(({ canLogin }) => canLogin).map(({ name }) => name), STRANGER]
  const probes: Probe[] = []
  for (const attempt of attemptsOf(names, places, from, settings.get('ssl') === 'on')) {
    signal.throwIfAborted()
    const reach = await tryToConnect(config, attempt)
    const rules = decidingRules(hba.rules, attempt, facts)
    probes.push({ attempt, reach, expected: rules.map((rule) => expectedReach(rule, attempt)) })
  }
  return probes
}

function requireParts(read: ReadParts): ServerParts {
  for (const name of [...REACH_PARTS, 'settings'] as const) {
    const part = read[name]
    if (part instanceof Error) throw part
  }
  // Those that are used were looked at.
  return read as ServerParts
}

/**
 * How far a role comes at a server, by the same way as `database` goes there. No password is sent.
 * @param certificate shown where that way is encrypted
 * @throws FailureError when that cannot be told
 */
export async function probeLogin(
  database: Database,
  role: string,
  name: string,
  certificate?: { cert: string; key: string },
): Promise<Reach> {
  const { ssl } = (await database.pool()).options
  const isEncrypted = ssl !== undefined && ssl !== false
  const attempt = { role, database: name, from: undefined, isEncrypted }
  const config = await configOf(database)
  const shown = typeof config.ssl === 'object' ? { ssl: { ...config.ssl, ...certificate } } : {}
  return tryToConnect({ ...config, ...shown }, attempt)
}

function* attemptsOf(
  names: readonly string[],
  databases: readonly Attempt['database'][],
  from: Attempt['from'],
  hasTls: boolean,
): Generator<Attempt> {
  for (const role of names)
    for (const database of databases)
      for (const isEncrypted of hasTls ? [false, true] : [false])
        yield { role, database, from, isEncrypted }
}

function expectedReach(rule: HbaRule | null, { role }: Attempt): Reach {
  if (rule === null) return 'refused'
  if (rule.options.some((option) => /^clientcert=/.test(option))) return 'refused'
  // The rule lets a stranger in; that there is no such role is noticed afterwards.
  if (rule.method === 'trust') return role === STRANGER ? 'refused' : 'in'
  return ASKING.includes(rule.method) ? 'asked' : 'refused'
}

/** Place and TLS of a database's own connections; without its login. */
async function configOf(database: Database): Promise<ClientConfig> {
  const { options } = await database.pool()
  const { host, port, ssl } = options
  return {
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    // Nothing is sent that a wrong server must not see.
    ssl: ssl === undefined || ssl === false ? { rejectUnauthorized: false } : ssl,
    connectionTimeoutMillis: WAIT_MS,
    application_name: 'cleverctl access audit --probe',
  }
}

async function tryToConnect(config: ClientConfig, attempt: Attempt): Promise<Reach> {
  const { default: pg } = await import('pg')
  const { role, database, isEncrypted } = attempt
  const socket = new Socket()
  const wanted: ClientConfig & { replication?: string } = {
    ...config,
    user: role,
    ...(database === undefined ? { replication: 'true' } : { database }),
    ...(isEncrypted ? {} : { ssl: false }),
    stream: () => socket,
    password: () => {
      throw new Error(ASKED)
    },
  }
  const client = new pg.Client(wanted)
  client.on('error', () => undefined)
  try {
    await client.connect()
    return 'in'
  } catch (error) {
    return reachOf(error, role)
  } finally {
    // A client whose login failed on this side would wait for the server for ever.
    socket.destroy()
  }
}

function reachOf(error: unknown, role: string): Reach {
  if (error instanceof CancelledError) throw error
  if (error instanceof Error && error.message === ASKED) return 'asked'
  if (REFUSED_CERTIFICATE.test(errorCode(error))) return 'refused'
  const state = sqlStateOf(error)
  if (state === SqlState.INVALID_AUTHORIZATION) return 'refused'
  // After the rules: somebody was let in, and then there was no room, no such database, no right to enter.
  if (state === SqlState.INVALID_CATALOG_NAME || state === SqlState.INSUFFICIENT_PRIVILEGE)
    return 'in'
  if (error instanceof ExpectedError) throw error
  throw new FailureError(
    'probe-failed',
    `trying to connect as ${role} ended with ${state ?? 'a broken connection'}, which says nothing about who is let in`,
  )
}
