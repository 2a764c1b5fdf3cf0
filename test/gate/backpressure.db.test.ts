import assert from 'node:assert/strict'
import pg from 'pg'
import type { FreshDatabase } from '../support/database.js'
import { until } from '../support/until.js'
import { type TestGate } from '../support/gate.js'
import { type TestPlant } from '../support/plant.js'
import { withGate } from '../support/gate-suite.js'

// Runs alone: what it waits for has to come within seconds.

describe('a database that does not keep up', () => {
  let fresh: FreshDatabase
  let plant: TestPlant
  let gate: TestGate
  let blocker: pg.Client

  // Before the database goes, which would break its connection.
  after(async () => {
    await blocker?.end()
  })
  withGate(async (up) => {
    ;({ fresh, plant, gate } = up)
    blocker = new pg.Client({ connectionString: fresh.url, ssl: false })
    await blocker.connect()
  })

  let sent = 0

  /** Readings that no other request of this file sends. */
  const readings = (count: number) =>
    Array.from({ length: count }, () => {
      sent += 1
      return { at: new Date(Date.now() - 86_400_000 + sent).toISOString(), values: { a: sent } }
    })

  const whileLocked = async (table: string, work: () => Promise<void>) => {
    await blocker.query('begin')
    await blocker.query(`lock table cleverctl.${table} in access exclusive mode`)
    try {
      await work()
    } finally {
      await blocker.query('rollback')
    }
  }

  it('makes the gate answer 503 and lose nothing that it acknowledged', async () => {
    const device = await plant.addDevice('CDX-000123', plant.installation)
    const sender = { apiKey: plant.apiKey, token: plant.token(device.serial) }
    const acknowledged = new Map<string, number>()
    const post = async (count: number) => {
      const batch = readings(count)
      const answer = await gate.client.post(sender, batch)
      if (answer.status === 202) {
        assert.equal(answer.body['accepted'], count)
        for (const { at, values } of batch) acknowledged.set(at, values.a)
      }
      return answer
    }
    assert.equal((await post(10)).status, 202)
    await whileLocked('reading', async () => {
      const began = performance.now()
      const answers = await Promise.all(Array.from({ length: 30 }, () => post(1_000)))
      for (const answer of answers) {
        assert.equal(answer.status, 503)
        assert.equal(answer.body['error'], 'unavailable')
        assert.ok(Number(answer.headers['retry-after']) >= 1)
      }
      assert.ok(performance.now() - began < 15_000)
      assert.ok(gate.log.some((line) => line['error'] === 'QueueFullError'))
    })
    await until(async () => (await post(10)).status === 202, 10_000)
    const answers = await Promise.all(Array.from({ length: 10 }, () => post(100)))
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([202]))
    const { rows } = await fresh.database.query<{ at: Date; a: number }>(
      `select at, ("values"->>'a')::int as a from cleverctl.reading where device_id = $1`,
      [device.id],
    )
    const stored = new Map(rows.map(({ at, a }) => [at.toISOString(), a]))
    assert.equal(stored.size, rows.length)
    for (const [at, a] of acknowledged) assert.equal(stored.get(at), a)
  })

  it('makes the gate answer 503, not yes, to those it does not know yet', async () => {
    const stranger = await plant.addDevice('CDX-000124', plant.installation)
    const known = await plant.addDevice('CDX-000125', plant.installation)
    const sender = (serial: string) => ({ apiKey: plant.apiKey, token: plant.token(serial) })
    const remembered = sender(known.serial)
    await until(async () => (await gate.client.authorize(remembered)).status === 204)
    await gate.client.authorize(remembered)
    await whileLocked('device', async () => {
      const [answer, other] = await Promise.all([
        gate.client.authorize(sender(stranger.serial)),
        gate.client.authorize(remembered),
      ])
      assert.equal(answer.status, 503)
      assert.ok(Number(answer.headers['retry-after']) >= 1)
      assert.equal(other.status, 204, 'remembered, and nothing says otherwise')
    })
    assert.equal((await gate.client.authorize(sender(stranger.serial))).status, 204)
  })

  it('keeps the counts of refusals until they can be written', async () => {
    await whileLocked('refusal', async () => {
      for (let turn = 0; turn < 7; turn += 1) await gate.client.authorize({ token: 'x' })
      await until(() => gate.log.some((line) => line['work'] === 'refusals'), 6_000)
    })
    await until(async () => {
      const { rows } = await fresh.database.query<{ count: string }>(
        `select coalesce(sum(count), 0) as count from cleverctl.refusal where code = 'K_MISSING'`,
      )
      return rows[0]?.count === '7'
    }, 6_000)
  })
})
