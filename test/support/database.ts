import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type { AskedServers } from '../../src/lib/access/named-servers.js'
import type { Clock } from '../../src/lib/clock.js'
import { resolveSettings } from '../../src/lib/config/settings.js'
import type { Database } from '../../src/lib/database/database.js'
import { migrateJobQueue } from '../../src/lib/database/job-queue.js'
import { migrate } from '../../src/lib/database/migrate.js'
import { openDatabase, type OpenOptions } from '../../src/lib/database/open.js'
import type { Log, Workspace } from '../../src/lib/workspace.js'
import { startCluster, uniqueName } from './cluster.js'
import type { Cluster } from './cluster.js'
import { memoryKeyring } from './memory-keyring.js'

const TEMPLATE = 'cleverctl_template'

/** A database of a test's own, migrated and empty. */
export interface FreshDatabase {
  /** For CLEVERCTL_DATABASE_URL; the login is a superuser. */
  url: string
  /** Opened over that URL; `drop` closes it. */
  database: Database
  /** Closes and removes it. */
  drop(): Promise<void>
}

let running: Promise<Cluster> | undefined

/** The environment of somebody who has no files. */
export const HOMELESS = { CLEVERCTL_HOME: '/nonexistent', HOME: '/nonexistent' }

/** Hears nothing. */
export const silentLog: Log = {
  info: () => undefined,
  warn: () => undefined,
  debug: () => undefined,
  progress: () => undefined,
}

/**
 * A new database on the one cluster of this run, which starts at the first call. Every file takes
 * its own, so files share nothing.
 */
export async function freshDatabase(): Promise<FreshDatabase> {
  running ??= startCluster({ settings: ["listen_addresses = ''"] }).then(withTemplate)
  const cluster = await running
  const name = uniqueName('test')
  await administer(cluster, `create database ${name} template ${TEMPLATE}`)
  const url = databaseUrl(cluster, name)
  const database = await openUrl(url)
  return {
    url,
    database,
    drop: async () => {
      await database.close()
      await administer(cluster, `drop database ${name} with (force)`)
    },
  }
}

/** Opens a URL as a command would, without the developer's own environment. */
export async function openUrl(url: string, options: Partial<OpenOptions> = {}): Promise<Database> {
  const settings = await resolveSettings({
    environment: {
      CLEVERCTL_HOME: '/nonexistent',
      HOME: '/nonexistent',
      CLEVERCTL_DATABASE_URL: url,
    },
  })
  return openDatabase(settings, { log: silentLog, ...options })
}

/** Stops the cluster of this run, if one was started. Called once, by the hooks. */
export async function stopSharedCluster(): Promise<void> {
  const cluster = await running?.catch(() => undefined)
  running = undefined
  await cluster?.stop()
}

/** A clock that stands still until the test moves it. */
export interface TestClock extends Clock {
  set(moment: Date | string): void
  advance(milliseconds: number): void
}

/** A clock that stands at `start`. */
export function testClock(start: Date | string = '2026-06-01T12:00:00Z'): TestClock {
  let now = new Date(start)
  return {
    now: () => new Date(now),
    set: (moment) => {
      now = new Date(moment)
    },
    advance: (milliseconds) => {
      now = new Date(now.getTime() + milliseconds)
    },
  }
}

/** A workspace on a test's database: a standing clock, real randomness, a keyring in memory, a silent log. */
export function testWorkspace(database: Database, overrides: Partial<Workspace> = {}): Workspace {
  const random = overrides.random ?? { bytes: (size) => randomBytes(size) }
  const keyring = memoryKeyring(random)
  return {
    database,
    keyring: async () => keyring,
    actor: { osUser: 'tester', host: 'test-host', ciJob: undefined },
    clock: testClock(),
    random,
    log: silentLog,
    signal: new AbortController().signal,
    ...overrides,
  }
}

async function withTemplate(cluster: Cluster): Promise<Cluster> {
  await administer(cluster, `create database ${TEMPLATE}`)
  const template = await openUrl(databaseUrl(cluster, TEMPLATE), { migrations: 'ignore' })
  await migrate(template, silentLog)
  await migrateJobQueue(template)
  await template.close()
  await administer(cluster, `alter database ${TEMPLATE} is_template true allow_connections false`)
  return cluster
}

/** By which a superuser comes to a database, over the socket. */
export function databaseUrl(cluster: Pick<Cluster, 'socketFolder' | 'port'>, name: string): string {
  return `postgres://postgres@/${name}?host=${encodeURIComponent(cluster.socketFolder)}&port=${cluster.port}`
}

async function administer(cluster: Cluster, statement: string): Promise<void> {
  const client = new pg.Client({
    host: cluster.socketFolder,
    port: cluster.port,
    user: 'postgres',
    database: 'postgres',
    ssl: false,
  })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

/** Servers as the flag --dsn names them. */
export function byDsn(...dsns: string[]): AskedServers {
  return { dsns, hosts: [], isAllHosts: false }
}
