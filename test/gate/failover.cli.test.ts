import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { Database } from '../../src/lib/database/database.js'
import { migrate } from '../../src/lib/database/migrate.js'
import { startCluster, startStandby, type Cluster } from '../support/cluster.js'
import { openUrl, silentLog } from '../support/database.js'
import { homeWorkspace, spawnGate, type SpawnedGate } from '../support/gate.js'
import { preparePlant, type TestDevice, type TestPlant } from '../support/plant.js'
import { until } from '../support/until.js'
import { freePort } from '../../src/lib/free-port.js'
import { startSwallowingProxy, type SwallowingProxy } from '../support/swallowing-proxy.js'

// Runs alone: what it waits for has to come within seconds.

const SENDERS = 8
const url = (ports: readonly number[], more = '') =>
  `postgres://postgres@${ports.map((port) => `127.0.0.1:${port}`).join(',')}/cleverctl?sslmode=disable${more}`

/** Loggers that post for as long as they are let, and remember what became of it. */
class Loggers {
  /** By device and time, the number that was acknowledged. */
  readonly acknowledged = new Map<string, number>()
  /** What was answered that is neither 202 nor a 503 with Retry-After. */
  readonly wrong: string[] = []
  refused = 0
  #number = 0
  #isOver = false
  #running: Promise<void>[] = []

  start(gate: SpawnedGate, plant: TestPlant, devices: readonly TestDevice[]): void {
    this.#running = devices.map((device) => this.#post(gate, plant, device))
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#running)
  }

  async #post(gate: SpawnedGate, plant: TestPlant, { id, serial }: TestDevice): Promise<void> {
    const begin = Date.now() - 86_400_000
    const credentials = { apiKey: plant.apiKey, token: plant.token(serial) }
    while (!this.#isOver) {
      const number = (this.#number += 1)
      const at = new Date(begin + number).toISOString()
      // As a logger does: the same again until it is acknowledged.
      for (;;) {
        const { status, headers } = await gate.client.post(credentials, [
          { at, values: { number } },
        ])
        if (status === 202) {
          this.acknowledged.set(`${id} ${at}`, number)
          break
        }
        this.refused += 1
        if (status !== 503 || !(Number(headers['retry-after']) >= 1))
          this.wrong.push(String(status))
        if (this.#isOver) return
        await delay(20)
      }
    }
  }
}

describe('a gate whose database has several hosts', () => {
  let home: string
  let primary: Cluster
  let standby: Cluster
  let onPrimary: Database
  let plant: TestPlant
  let devices: TestDevice[]
  let gate: SpawnedGate
  let loggers: Loggers

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'cctl-failover-'))
    primary = await startCluster({
      port: await freePort(),
      settings: ["listen_addresses = '127.0.0.1'", 'synchronous_commit = on'],
    })
    await administer(primary, 'create database cleverctl', 'postgres')
    onPrimary = await openUrl(url([primary.port]), { migrations: 'ignore' })
    await migrate(onPrimary, silentLog)
    const workspace = await homeWorkspace({ url: url([primary.port]), database: onPrimary }, home)
    plant = await preparePlant(onPrimary, { workspace })
    devices = await Promise.all(
      Array.from({ length: SENDERS }, (_, index) =>
        plant.addDevice(`CDX-00000${index}`, plant.installation),
      ),
    )
    standby = await startStandby(primary, await freePort())
    // From here on nothing is committed that the standby does not have.
    await administer(primary, `alter system set synchronous_standby_names = '*'`)
    await administer(primary, 'select pg_reload_conf()')
    await until(async () => {
      const { rows } = await administer(
        primary,
        `select from pg_stat_replication where sync_state = 'sync'`,
      )
      return rows.length === 1
    }, 20_000)
  })

  afterEach(async () => {
    await loggers?.stop()
    await gate?.end('SIGKILL')
    await onPrimary?.close()
    await primary?.stop()
    await standby?.stop()
    rmSync(home, { recursive: true, force: true })
  })

  /** Starts a gate and loggers. @param port where it finds the primary */
  const start = async (port: number) => {
    const hosts = url([port, standby.port], '&target_session_attrs=read-write')
    gate = await spawnGate({
      home,
      env: { CLEVERCTL_DATABASE_URL: hosts },
      args: ['--no-limits'],
    })
    loggers = new Loggers()
    loggers.start(gate, plant, devices)
    await until(() => loggers.acknowledged.size > 200, 20_000)
  }

  const administer = async (cluster: Cluster, statement: string, database = 'cleverctl') => {
    const client = new pg.Client({
      host: '127.0.0.1',
      port: cluster.port,
      user: 'postgres',
      database,
      ssl: false,
    })
    await client.connect()
    try {
      return await client.query<Record<string, unknown>>(statement)
    } finally {
      await client.end()
    }
  }

  /** The gate works with the former standby: it stores, and hears of a revocation. */
  const worksWithStandby = async () => {
    const before = loggers.acknowledged.size
    await until(() => loggers.acknowledged.size > before + 200, 30_000)
    const [first] = devices
    assert.ok(first)
    const credentials = { apiKey: plant.apiKey, token: plant.token(first.serial) }
    await until(async () => (await gate.client.authorize(credentials)).status === 204, 10_000)
    await loggers.stop()
    await administer(
      standby,
      `update cleverctl.device set revoked_at = now(), revoke_reason = 'stolen' where id = ${first.id}`,
    )
    await until(async () => (await gate.client.authorize(credentials)).status === 403, 2_000)
    for (let turn = 0; turn < 5; turn += 1)
      assert.equal((await gate.client.authorize(credentials)).status, 403)
    assert.equal(gate.child.exitCode, null)
  }

  /** Every acknowledged reading is on the former standby, once. */
  const nothingIsLost = async () => {
    const { rows } = await administer(
      standby,
      `select device_id, at, ("values"->>'number')::int as number from cleverctl.reading`,
    )
    const stored = new Map(
      rows.map(({ device_id, at, number }) => [
        `${String(device_id)} ${(at as Date).toISOString()}`,
        number,
      ]),
    )
    assert.equal(stored.size, rows.length, 'stored twice')
    for (const [name, number] of loggers.acknowledged)
      assert.equal(stored.get(name), number, `${name} was acknowledged`)
    assert.deepEqual(loggers.wrong, [])
  }

  it('goes on with the standby that is promoted after kill -9 of the primary, and has lost nothing', async () => {
    await start(primary.port)
    primary.kill()
    await until(() => loggers.refused > 20, 20_000)
    assert.equal((await gate.client.ask({ path: '/readyz' })).status, 503)
    await standby.promote()
    await worksWithStandby()
    await nothingIsLost()
  })

  it('goes on with the standby when the machine of the primary falls silent', async () => {
    const proxy = await startSwallowingProxy(primary.port)
    try {
      await start(proxy.port)
      proxy.swallow()
      await until(() => loggers.refused > SENDERS, 30_000)
      await standby.promote()
      await worksWithStandby()
      await nothingIsLost()
    } finally {
      await proxy.stop()
    }
  })

  it('leaves a primary that became read-only under its connections, and hears of revocations at the new one', async () => {
    await start(primary.port)
    await administer(primary, 'alter system set default_transaction_read_only = on')
    await administer(primary, 'select pg_reload_conf()')
    await until(() => loggers.refused > 20, 20_000)
    await standby.promote()
    await worksWithStandby()
    const { rows } = await administer(
      primary,
      `select count(*)::int from pg_stat_activity
      where datname = current_database() and application_name like 'cleverctl%' and pid <> pg_backend_pid()
        and application_name = 'cleverctl gate listener'`,
    )
    assert.deepEqual(rows, [{ count: 0 }])
    await nothingIsLost()
  })
})

describe('a gate on a way to the database that falls silent', () => {
  let home: string
  let cluster: Cluster
  let database: Database
  let proxy: SwallowingProxy
  let gate: SpawnedGate
  let plant: TestPlant
  let loggers: Loggers

  before(async () => {
    home = mkdtempSync(join(tmpdir(), 'cctl-silent-'))
    cluster = await startCluster({
      port: await freePort(),
      settings: ["listen_addresses = '127.0.0.1'"],
    })
    await cluster.program('createdb', [
      '-h',
      cluster.folder,
      '-p',
      String(cluster.port),
      '-U',
      'postgres',
      'cleverctl',
    ])
    database = await openUrl(url([cluster.port]), { migrations: 'ignore' })
    await migrate(database, silentLog)
    const workspace = await homeWorkspace({ url: url([cluster.port]), database }, home)
    plant = await preparePlant(database, { workspace })
    const devices = await Promise.all(
      Array.from({ length: SENDERS }, (_, index) =>
        plant.addDevice(`CDX-00000${index}`, plant.installation),
      ),
    )
    proxy = await startSwallowingProxy(cluster.port)
    gate = await spawnGate({
      home,
      env: { CLEVERCTL_DATABASE_URL: url([proxy.port]) },
      args: ['--no-limits'],
    })
    loggers = new Loggers()
    loggers.start(gate, plant, devices)
  })

  after(async () => {
    await loggers?.stop()
    await gate?.end('SIGKILL')
    await proxy?.stop()
    await database?.close()
    await cluster?.stop()
    rmSync(home, { recursive: true, force: true })
  })

  it('answers 503 in the meantime, never yes, and works again when the way does', async () => {
    await until(() => loggers.acknowledged.size > 200, 20_000)
    proxy.swallow()
    const credentials = { apiKey: plant.apiKey, token: plant.token('CDX-000000') }
    await until(async () => (await gate.client.authorize(credentials)).status === 503, 20_000)
    for (let turn = 0; turn < 3; turn += 1)
      assert.equal((await gate.client.authorize(credentials)).status, 503)
    await until(() => loggers.refused > SENDERS, 20_000)
    const stalled = loggers.acknowledged.size
    proxy.restore()
    await until(() => loggers.acknowledged.size > stalled + 200, 30_000)
    await until(async () => (await gate.client.authorize(credentials)).status === 204, 10_000)
    await loggers.stop()
    assert.deepEqual(loggers.wrong, [])
    assert.equal(gate.child.exitCode, null)
    const { rows } = await database.query<{ count: number }>(
      'select count(*)::int as count from cleverctl.reading',
    )
    assert.ok(Number(rows[0]?.count) >= loggers.acknowledged.size)
  })
})
