import assert from 'node:assert/strict'
import type { FreshDatabase } from '../support/database.js'
import { until } from '../support/until.js'
import { type TestGate } from '../support/gate.js'
import { type TestPlant } from '../support/plant.js'
import { withGate } from '../support/gate-suite.js'

describe('a request that somebody recorded', () => {
  let fresh: FreshDatabase
  let plant: TestPlant
  let gate: TestGate

  withGate((up) => void ({ fresh, plant, gate } = up))

  const record = async (serial: string, ttlMs = 2_000) => {
    const device = await plant.addDevice(serial, plant.installation)
    const sender = { apiKey: plant.apiKey, token: plant.token(serial, { ttlMs }) }
    const readings = [{ at: new Date().toISOString(), values: { powerW: 4210 } }]
    const first = await gate.client.post(sender, readings)
    assert.deepEqual(first.body, { accepted: 1, duplicates: 0 })
    return { device, sender, readings }
  }

  it('stores nothing when it is sent again', async () => {
    const { device, sender, readings } = await record('CDX-000201')
    for (let turn = 0; turn < 5; turn += 1) {
      const again = await gate.client.post(sender, readings)
      assert.deepEqual(again.body, { accepted: 0, duplicates: 1 })
    }
    const { rows } = await fresh.database.query(
      'select from cleverctl.reading where device_id = $1',
      [device.id],
    )
    assert.equal(rows.length, 1)
  })

  it('changes no value that is stored', async () => {
    const { device, sender, readings } = await record('CDX-000202')
    const forged = readings.map((reading) => ({ ...reading, values: { powerW: 0 } }))
    await gate.client.post(sender, forged)
    const { rows } = await fresh.database.query<{ values: object }>(
      'select "values" from cleverctl.reading where device_id = $1',
      [device.id],
    )
    assert.deepEqual(rows, [{ values: { powerW: 4210 } }])
  })

  it('is refused when its token is over', async () => {
    const { sender, readings } = await record('CDX-000203')
    await until(async () => (await gate.client.post(sender, readings)).status === 401)
    assert.equal(gate.log.findLast(({ code }) => code !== undefined)?.['code'], 'T_EXPIRED')
  })

  it('is refused with the key of another installation', async () => {
    const { sender, readings } = await record('CDX-000204')
    const { apiKey } = await plant.addInstallation('solar-0043')
    assert.equal((await gate.client.post({ ...sender, apiKey }, readings)).status, 401)
  })

  it('is refused once the device was taken down, and at its next place too', async () => {
    const { device, sender, readings } = await record('CDX-000205', 600_000)
    const next = await plant.addInstallation('solar-0044')
    await fresh.database.query(
      `update cleverctl.placement set during = tstzrange(lower(during), now()) where device_id = $1`,
      [device.id],
    )
    // The gate hears of it a moment later.
    await until(async () => (await gate.client.post(sender, readings)).status === 403)
    await fresh.database.query(
      `insert into cleverctl.placement (device_id, installation_id, installer_id, during)
       values ($1, $2, $3, tstzrange(now(), null))`,
      [device.id, next.id, plant.installerId],
    )
    assert.equal((await gate.client.post(sender, readings)).status, 403)
    assert.equal((await gate.client.post({ ...sender, apiKey: next.apiKey }, readings)).status, 401)
  })

  it('gives its sender no other device: the readings are those of the token', async () => {
    const { device, sender } = await record('CDX-000206')
    const other = await plant.addDevice('CDX-000207', plant.installation)
    const at = new Date(Date.now() - 60_000).toISOString()
    await gate.client.post(sender, [{ at, values: { a: 1 } }])
    const count = async (id: string) =>
      (await fresh.database.query('select from cleverctl.reading where device_id = $1', [id])).rows
        .length
    assert.equal(await count(device.id), 2)
    assert.equal(await count(other.id), 0)
  })
})
