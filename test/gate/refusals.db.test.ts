import assert from 'node:assert/strict'
import { RefusalCounter } from '../../src/lib/gate/refusal-counter.js'
import { listRefusals } from '../../src/lib/gate/list-refusals.js'
import { freshDatabase, testClock, testWorkspace, type FreshDatabase } from '../support/database.js'
import { headersOf } from '../support/gate-client.js'
import { until } from '../support/until.js'
import { type TestGate } from '../support/gate.js'
import { type TestPlant } from '../support/plant.js'
import { withGate } from '../support/gate-suite.js'

describe('refused arrivals', () => {
  let plant: TestPlant
  let gate: TestGate

  withGate((up) => void ({ plant, gate } = up))

  const list = (by?: 'code' | 'installation' | 'device') =>
    listRefusals(plant.workspace, { sinceMs: 3_600_000, by, limit: 100 })

  it('reach the engineer within a second with code, place, device and request', async () => {
    const shelf = await plant.addDevice('CDX-000300')
    const token = plant.token(shelf.serial)
    await gate.client.authorize({ apiKey: plant.apiKey, token })
    const answer = await gate.client.authorize({ apiKey: plant.apiKey, token })
    const took = await until(async () =>
      (await list()).refusals.some(({ code, count }) => code === 'I_NONE' && count === 2),
    )
    assert.ok(took < 1_000, `${took} ms`)
    const { refusals } = await list()
    const refusal = refusals.find(({ code }) => code === 'I_NONE')
    assert.deepEqual(
      { ...refusal, firstAt: null, lastAt: null },
      {
        code: 'I_NONE',
        requirement: 3,
        meaning: 'the device was never installed with the mobile app',
        installation: 'solar-0042',
        serial: 'CDX-000300',
        keyId: plant.keyId,
        route: '/v1/authorize',
        count: 2,
        firstAt: null,
        lastAt: null,
        lastAddress: '127.0.0.1',
        lastRequestId: answer.body['requestId'],
      },
    )
  })

  it('are summed up by code, installation or device', async () => {
    const other = await plant.addInstallation('solar-0043')
    for (const serial of ['CDX-000301', 'CDX-000302', 'CDX-000302']) {
      await gate.client.ask({
        path: '/v1/token',
        headers: headersOf({ apiKey: other.apiKey }),
        body: { serial, secret: 'x' },
      })
    }
    await until(async () =>
      (await list('code')).refusals.some(({ code }) => code === 'D_NOT_MANUFACTURED'),
    )
    const find = async (by: 'code' | 'installation' | 'device') =>
      (await list(by)).refusals
        .filter(({ code }) => code === 'D_NOT_MANUFACTURED')
        .map(({ installation, serial, count }) => [installation, serial, count])
    await until(async () => JSON.stringify(await find('code')) === '[[null,null,3]]')
    assert.deepEqual(await find('installation'), [['solar-0043', null, 3]])
    assert.deepEqual(
      new Set((await find('device')).map((row) => JSON.stringify(row))),
      new Set(['["solar-0043","CDX-000301",1]', '["solar-0043","CDX-000302",2]']),
    )
  })

  it('hold nothing that a stranger made up but a serial and a key id of the right form', async () => {
    const strange = ["CDX'; drop table refusal", '<script>', '../..', 'Ω', 'x'.repeat(64)]
    for (const serial of strange) {
      await gate.client.ask({
        path: '/v1/token',
        headers: headersOf({ apiKey: plant.apiKey }),
        body: { serial, secret: 'x' },
      })
    }
    await gate.client.authorize({ apiKey: 'clv_live_drop table_x', token: 'x' })
    await until(async () => (await list()).refusals.some(({ code }) => code === 'K_UNKNOWN'))
    for (const { serial, keyId } of (await list()).refusals) {
      assert.match(serial ?? 'CDX-1', /^[A-Za-z0-9][A-Za-z0-9._-]{2,63}$/)
      assert.match(keyId ?? 'k7Qd2XbA', /^[0-9A-Za-z]{8}$/)
    }
  })
})

describe('the counter of refused arrivals', () => {
  let fresh: FreshDatabase

  before(async () => {
    fresh = await freshDatabase()
  })

  after(async () => {
    await fresh?.drop()
  })

  const request = { route: '/v1/token', address: '192.0.2.7', requestId: 'r-1' }
  const refusal = (serial: string) => ({
    verdict: 'refused' as const,
    requirement: 2 as const,
    code: 'D_NOT_MANUFACTURED' as const,
    keyId: undefined,
    installationId: undefined,
    serial,
    fault: undefined,
  })

  it('stays small whatever an attacker varies, and counts every one', async () => {
    const clock = testClock('2026-11-23T10:15:00Z')
    const counter = new RefusalCounter({
      database: fresh.database,
      clock,
      onFailure: (error) => assert.fail(String(error)),
    })
    for (let turn = 0; turn < 20_000; turn += 1) counter.add(refusal(`CDX-${turn}`), request)
    await counter.flush()
    for (let turn = 0; turn < 5_000; turn += 1) counter.add(refusal(`CDX-X${turn}`), request)
    await counter.flush()
    const { rows } = await fresh.database.query<{ groups: string; count: string }>(
      'select count(*) as groups, sum(count) as count from cleverctl.refusal',
    )
    assert.deepEqual(rows, [{ groups: '1001', count: '25000' }])
    clock.advance(3_600_000)
    counter.add(refusal('CDX-next-hour'), request)
    await counter.flush()
    const { refusals } = await listRefusals(testWorkspace(fresh.database, { clock }), {
      sinceMs: 60_000,
      by: undefined,
      limit: 10,
    })
    assert.deepEqual(
      refusals.map(({ serial, count }) => [serial, count]),
      [['CDX-next-hour', 1]],
    )
  })

  it('forgets after thirty days', async () => {
    const clock = testClock('2026-12-23T10:20:00Z')
    const counter = new RefusalCounter({
      database: fresh.database,
      clock,
      onFailure: (error) => assert.fail(String(error)),
    })
    counter.start()
    await until(async () => {
      const { rows } = await fresh.database.query('select serial from cleverctl.refusal')
      return rows.length === 1
    })
    await counter.stop()
  })
})
