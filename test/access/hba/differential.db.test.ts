import { deepEqual, ok } from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { selectInterfaces } from '../../../src/lib/access/audit/hba-store.js'
import { hbaFacts, readServer } from '../../../src/lib/access/audit/server.js'
import { decidingRules } from '../../../src/lib/access/hba/match.js'
import type { Attempt } from '../../../src/lib/access/hba/types.js'
import { formatAddress, parseAddress } from '../../../src/lib/network.js'
import { databaseUrl, openUrl } from '../../support/database.js'
import { startServer, type TestServer } from '../../support/server.js'

const ROUNDS = 25
const RULES = 12
const ATTEMPTS = 30
const ROLES = ['ana', 'bob', 'engineers', 'all', 'Odd Name']
const DATABASES = ['ana', 'engineers', 'fleet', 'all', 'replication']
/** Of this machine; without a zone, which rules do not know. */
const OWN = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
const ADDRESSES = [
  ...OWN.filter(({ family }) => family === 'IPv4').map(({ address }) => address),
  ...['127.0.0.2', '127.0.1.9', '127.9.0.1'],
]

/** Numbers that a seed gives again and again (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

describe('rules of pg_hba.conf, as simulated and as PostgreSQL decides', () => {
  let server: TestServer
  const quoted = (name: string) => `"${name}"`

  before(async () => {
    server = await startServer({ roles: false, settings: ['log_min_messages = panic'] })
    for (const role of ROLES)
      await server.administer(`create role ${quoted(role)} login replication`)
    await server.administer('grant engineers to ana')
    for (const name of DATABASES) await server.administer(`create database ${quoted(name)}`)
  })
  after(() => server.stop())

  /** Whether PostgreSQL lets an attempt in. */
  async function isLetIn({ role, database, from, isEncrypted }: Attempt): Promise<boolean> {
    const { port, cluster } = server
    const localAddress = from && formatAddress(from)
    const config: pg.ClientConfig & { replication?: string } = {
      ...(from
        ? { host: '127.0.0.1', stream: () => binding(localAddress ?? '') }
        : { host: cluster.socketFolder }),
      port,
      user: role,
      database: database ?? 'fleet',
      ssl: isEncrypted ? { rejectUnauthorized: false } : false,
      ...(database === undefined ? { replication: 'true' } : {}),
    }
    const client = new pg.Client(config)
    client.on('error', () => undefined)
    try {
      await client.connect()
      return true
    } catch (error) {
      ok((error as { code?: string }).code === '28000', String(error))
      return false
    } finally {
      await client.end().catch(() => undefined)
    }
  }

  /** A socket that the driver connects, from an address of ours. */
  function binding(localAddress: string) {
    const socket = connect({ host: '127.0.0.1', port: server.port, localAddress })
    // It is connecting already, so that the driver's own call has nothing left to do.
    socket.connect = () => socket
    return socket
  }

  /** Puts rules into force; a role of its own tells when they are. */
  async function load(lines: readonly string[], round: number): Promise<void> {
    const data = join(server.cluster.folder, 'data', 'pg_hba.conf')
    const first = ['local all postgres trust', `local fleet marker${round} trust`]
    writeFileSync(data, `${[...first, ...lines].join('\n')}\n`)
    await server.administer(`create role marker${round} login`)
    await server.administer('select pg_reload_conf()')
    const marker = {
      role: `marker${round}`,
      database: 'fleet',
      from: undefined,
      isEncrypted: false,
    }
    while (!(await isLetIn(marker))) await new Promise((resolve) => setTimeout(resolve, 5))
  }

  it('know the same addresses of the machine', async () => {
    const database = await openUrl(databaseUrl(server.cluster, 'postgres'), {
      migrations: 'ignore',
    })
    try {
      const found = (await selectInterfaces(database)).map(
        ({ address, mask }) => `${formatAddress(address)} ${mask}`,
      )
      for (const { address, netmask } of OWN)
        ok(found.includes(`${address} ${parseAddress(netmask)?.bits}`), `${address} ${netmask}`)
    } finally {
      await database.close()
    }
  })

  it('agree about random rules and attempts', async () => {
    const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
    const next = numbers(seed)
    const pick = <Item>(items: readonly Item[]): Item => {
      const item = items[Math.floor(next() * items.length)]
      if (item === undefined) throw new Error('nothing to pick from')
      return item
    }
    const some = (words: readonly string[]) =>
      (next() < 0.3 ? [pick(words), pick(words)] : [pick(words)]).join(',')
    const users = ['all', '"all"', '+engineers', '"+engineers"', 'ana', 'bob', '"Odd Name"', '+bob']
    const databases = [
      'all',
      '"all"',
      'sameuser',
      'samerole',
      'replication',
      '"replication"',
      'fleet',
      'ana',
    ]
    const networks = [
      'all',
      '127.0.0.1/32',
      '127.0.0.0/24',
      '127.0.0.0/16',
      '127.0.0.9 255.0.0.255',
      '::1/128',
      '0.0.0.0/0',
      'samehost',
      'samenet',
    ]
    const line = () => {
      const type = pick(['local', 'host', 'hostssl', 'hostnossl', 'hostgssenc', 'hostnogssenc'])
      const where = type === 'local' ? '' : pick(networks)
      return `${type} ${some(databases)} ${some(users)} ${where} ${pick(['trust', 'reject'])}`
    }
    const url = databaseUrl(server.cluster, 'postgres')
    const database = await openUrl(url, { migrations: 'ignore' })
    try {
      for (let round = 0; round < ROUNDS; round += 1) {
        await load(Array.from({ length: RULES }, line), round)
        const parts = await readServer(database, new AbortController().signal)
        if (
          parts.hba instanceof Error ||
          parts.memberships instanceof Error ||
          parts.server instanceof Error
        )
          throw new Error('the server does not say what it is asked')
        const facts = hbaFacts({
          server: parts.server,
          memberships: parts.memberships,
          hba: parts.hba,
        })
        for (let count = 0; count < ATTEMPTS; count += 1) {
          const from = next() < 0.2 ? undefined : parseAddress(pick(ADDRESSES))
          const attempt: Attempt = {
            role: pick(ROLES),
            database: next() < 0.15 ? undefined : pick(DATABASES),
            from,
            isEncrypted: from !== undefined && next() < 0.5,
          }
          const [decider] = decidingRules(parts.hba.rules, attempt, facts)
          const simulated = decider?.method === 'trust'
          const place = from && formatAddress(from)
          const about = `SEED=${seed} round ${round} ${JSON.stringify({ ...attempt, from: place })}, line ${decider?.line}`
          deepEqual([about, await isLetIn(attempt)], [about, simulated])
        }
      }
    } finally {
      await database.close()
    }
  })
})
