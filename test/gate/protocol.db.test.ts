import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { readTime } from '../../src/lib/gate/readings.js'
import type { FreshDatabase } from '../support/database.js'
import { headersOf, type Answer } from '../support/gate-client.js'
import { until } from '../support/until.js'
import { type TestDevice, type TestPlant } from '../support/plant.js'
import { type TestGate } from '../support/gate.js'
import { withGate } from '../support/gate-suite.js'

describe('the protocol of the gate', () => {
  let fresh: FreshDatabase
  let plant: TestPlant
  let gate: TestGate
  let device: TestDevice

  withGate(async (up) => {
    ;({ fresh, plant, gate } = up)
    device = await plant.addDevice('CDX-000123', plant.installation)
  })

  const requestToken = (body: unknown, apiKey: string | undefined = plant.apiKey) =>
    gate.client.ask({ path: '/v1/token', headers: headersOf({ apiKey }), body })

  const credentials = () => ({ apiKey: plant.apiKey, token: plant.token('CDX-000123') })

  const at = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString()

  const storedReadings = async (deviceId: string) => {
    const { rows } = await fresh.database.query<{
      at: Date
      values: object
      installation_id: string
    }>(
      'select at, "values", installation_id from cleverctl.reading where device_id = $1 order by at',
      [deviceId],
    )
    return rows
  }

  const assertRefused = (answer: Answer, status: 401 | 403, message?: string) => {
    assert.equal(answer.status, status, message)
    assert.deepEqual(answer.body, {
      error: status === 401 ? 'unauthorized' : 'forbidden',
      requestId: answer.headers['x-request-id'],
    })
  }

  it('gives a token for the right key and secret, which then opens /v1/data', async () => {
    const answer = await requestToken({ serial: device.serial, secret: device.secret })
    assert.equal(answer.status, 200)
    assert.deepEqual(Object.keys(answer.body).sort(), ['expiresIn', 'token', 'tokenType'])
    assert.equal(answer.body['tokenType'], 'Bearer')
    assert.equal(answer.body['expiresIn'], 900)
    const token = String(answer.body['token'])
    const moment = at(3)
    const posted = await gate.client.post({ apiKey: plant.apiKey, token }, [
      { at: moment, values: { powerW: 4210, voltageV: 612.5 } },
    ])
    assert.equal(posted.status, 202)
    assert.deepEqual(posted.body, { accepted: 1, duplicates: 0 })
    const stored = (await storedReadings(device.id)).find((row) => row.at.toISOString() === moment)
    assert.deepEqual(stored?.values, { powerW: 4210, voltageV: 612.5 })
    assert.equal(stored.installation_id, plant.installation.id)
  })

  it('says in every answer what time it is and which request it was', async () => {
    const answers = [
      await gate.client.ask({ path: '/healthz' }),
      await gate.client.authorize(credentials()),
      await gate.client.authorize({}),
      await gate.client.ask({ path: '/nowhere' }),
      await gate.client.post(credentials(), []),
    ]
    const ids = new Set<unknown>()
    for (const { headers } of answers) {
      assert.ok(Math.abs(Date.parse(String(headers.date)) - Date.now()) < 5_000)
      ids.add(headers['x-request-id'])
    }
    assert.equal(ids.size, answers.length)
  })

  it('stores one reading of a device at one time once, and counts the others', async () => {
    const own = await plant.addDevice('CDX-000200', plant.installation)
    const sender = { apiKey: plant.apiKey, token: plant.token(own.serial) }
    const [first, second] = [at(2), at(1)]
    const once = await gate.client.post(sender, [
      { at: first, values: { a: 1 } },
      { at: second, values: { a: 2 } },
      { at: first, values: { a: 3 } },
    ])
    assert.deepEqual(once.body, { accepted: 2, duplicates: 1 })
    const again = await gate.client.post(sender, [
      { at: first, values: { a: 4 } },
      { at: at(0), values: { a: 5 } },
    ])
    assert.deepEqual(again.body, { accepted: 1, duplicates: 1 })
    const rows = await storedReadings(own.id)
    assert.deepEqual(
      rows.map((row) => row.values),
      [{ a: 1 }, { a: 2 }, { a: 5 }],
    )
  })

  it('counts duplicates exactly when the same readings come at the same moment', async () => {
    const own = await plant.addDevice('CDX-000201', plant.installation)
    const sender = { apiKey: plant.apiKey, token: plant.token(own.serial) }
    const start = Date.now() - 3_600_000
    const readings = Array.from({ length: 50 }, (_, index) => ({
      at: new Date(start + index).toISOString(),
      values: { a: index },
    }))
    const answers = await Promise.all(
      Array.from({ length: 24 }, (_, turn) =>
        gate.client.post(sender, turn % 2 === 0 ? readings : [...readings].reverse()),
      ),
    )
    for (const answer of answers) assert.equal(answer.status, 202)
    const sum = (field: string) =>
      answers.reduce((total, { body }) => total + Number(body[field]), 0)
    assert.equal(sum('accepted'), 50)
    assert.equal(sum('duplicates'), 23 * 50)
    assert.equal((await storedReadings(own.id)).length, 50)
  })

  it('keeps microseconds and takes one moment written in two ways for one', async () => {
    const own = await plant.addDevice('CDX-000202', plant.installation)
    const sender = { apiKey: plant.apiKey, token: plant.token(own.serial) }
    const second = at(1).slice(0, 19)
    const shifted = new Date(Date.parse(`${second}Z`) + 3_600_000).toISOString().slice(0, 19)
    const answer = await gate.client.post(sender, [
      { at: `${second}.000001Z`, values: { a: 1 } },
      { at: `${second}.000002Z`, values: { a: 2 } },
      { at: `${shifted}.000001+01:00`, values: { a: 3 } },
    ])
    assert.deepEqual(answer.body, { accepted: 2, duplicates: 1 })
    const { rows } = await fresh.database.query<{ micros: string }>(
      'select (extract(epoch from at) * 1000000)::bigint as micros from cleverctl.reading where device_id = $1 order by at',
      [own.id],
    )
    const micros = readTime(`${second}.000001Z`) ?? 0
    assert.deepEqual(
      rows.map((row) => Number(row.micros)),
      [micros, micros + 1],
    )
  })

  it('takes a thousand readings, over months whose partitions it makes itself', async () => {
    const own = await plant.addDevice('CDX-000203', plant.installation)
    const sender = { apiKey: plant.apiKey, token: plant.token(own.serial) }
    const start = Date.now() - 390 * 86_400_000
    const readings = Array.from({ length: 1_000 }, (_, index) => ({
      at: new Date(start + index * 30_000_000).toISOString(),
      values: { a: index },
    }))
    const answer = await gate.client.post(sender, readings)
    assert.deepEqual(answer.body, { accepted: 1_000, duplicates: 0 })
    const { rows } = await fresh.database.query<{ count: string }>(
      `select count(*) from pg_inherits where inhparent = 'cleverctl.reading'::regclass`,
    )
    assert.ok(Number(rows[0]?.count) >= 12)
  })

  it('makes a partition again that somebody dropped', async () => {
    const own = await plant.addDevice('CDX-000204', plant.installation)
    const sender = { apiKey: plant.apiKey, token: plant.token(own.serial) }
    const moment = new Date(Date.now() - 300 * 86_400_000)
    const post = (offset: number) =>
      gate.client.post(sender, [
        { at: new Date(moment.getTime() + offset).toISOString(), values: { a: 1 } },
      ])
    assert.equal((await post(0)).status, 202)
    const month = moment.toISOString().slice(0, 7).replace('-', '_')
    await fresh.database.query(`drop table cleverctl.reading_${month}`)
    assert.deepEqual((await post(1)).body, { accepted: 1, duplicates: 0 })
  })

  it('answers 204 at /v1/authorize and names device and installation', async () => {
    const answer = await gate.client.authorize(credentials())
    assert.equal(answer.status, 204)
    assert.equal(answer.text, '')
    assert.equal(answer.headers['x-device-serial'], 'CDX-000123')
    assert.equal(answer.headers['x-installation'], 'solar-0042')
  })

  it('refuses what does not meet requirement 1 with 401', async () => {
    const { token } = credentials()
    const other = await plant.addInstallation('solar-0043')
    assertRefused(await gate.client.authorize({ token }), 401, 'no key')
    assertRefused(await gate.client.authorize({ apiKey: plant.apiKey }), 401, 'no token')
    assertRefused(await gate.client.authorize({ apiKey: 'nonsense', token }), 401, 'no key at all')
    assertRefused(await gate.client.authorize({ apiKey: other.apiKey, token }), 401, 'other key')
    assertRefused(
      await gate.client.authorize({ apiKey: plant.apiKey, token: 'x.y.z' }),
      401,
      'no token',
    )
    const old = await plant.addKey(plant.installation.id, {
      state: 'RETIRED',
      retired_at: new Date(),
    })
    assertRefused(await gate.client.authorize({ apiKey: old.apiKey, token }), 401, 'retired key')
    const short = plant.token('CDX-000123', { ttlMs: 1_000 })
    await until(
      async () =>
        (await gate.client.authorize({ apiKey: plant.apiKey, token: short })).status === 401,
    )
    const wrong = await requestToken({ serial: device.serial, secret: `${device.secret}x` })
    assertRefused(wrong, 401, 'wrong secret')
  })

  it('refuses what does not meet requirements 2 and 3 with 403', async () => {
    const shelf = await plant.addDevice('CDX-000300')
    const other = await plant.addInstallation('solar-0044')
    const away = await plant.addDevice('CDX-000301', other)
    const { apiKey } = plant
    for (const serial of ['CDX-999999', shelf.serial, away.serial]) {
      const answer = await gate.client.post({ apiKey, token: plant.token(serial) }, [
        { at: at(1), values: { a: 1 } },
      ])
      assertRefused(answer, 403, serial)
    }
    assertRefused(await requestToken({ serial: 'CDX-999999', secret: 'any' }), 403)
    assertRefused(await requestToken({ serial: 'not a serial', secret: 'any' }), 403)
    assertRefused(await requestToken({ serial: shelf.serial, secret: shelf.secret }), 403)
    assertRefused(await requestToken({ serial: away.serial, secret: away.secret }), 403)
    const { rows } = await fresh.database.query(
      'select from cleverctl.reading where device_id = any($1)',
      [[shelf.id, away.id]],
    )
    assert.equal(rows.length, 0)
  })

  it('accepts the former secret of a device until its time is over', async () => {
    const own = await plant.addDevice('CDX-000310', plant.installation)
    await fresh.database.query(
      `update cleverctl.device set previous_secret_sha256 = secret_sha256, secret_sha256 = $2,
         previous_secret_until = now() + interval '1 second' where id = $1`,
      [own.id, Buffer.alloc(32, 1)],
    )
    const ask = () => requestToken({ serial: own.serial, secret: own.secret })
    assert.equal((await ask()).status, 200)
    await until(async () => (await ask()).status === 401)
  })

  it('takes in a device that was installed, and a key that was issued, a moment ago', async () => {
    const own = await plant.addDevice('CDX-000320')
    const token = plant.token(own.serial)
    assert.equal((await gate.client.authorize({ apiKey: plant.apiKey, token })).status, 403)
    await fresh.database.query(
      `insert into cleverctl.placement (device_id, installation_id, installer_id, during)
       values ($1, $2, $3, tstzrange(now(), null))`,
      [own.id, plant.installation.id, plant.installerId],
    )
    assert.equal((await gate.client.authorize({ apiKey: plant.apiKey, token })).status, 204)
    await fresh.database.query(
      `update cleverctl.api_key set state = 'GRACE', grace_until = now() + interval '1 day' where key_id = $1`,
      [plant.keyId],
    )
    const { apiKey } = await plant.addKey(plant.installation.id)
    assert.equal((await gate.client.authorize({ apiKey, token })).status, 204, 'new key')
    assert.equal(
      (await gate.client.authorize({ apiKey: plant.apiKey, token })).status,
      204,
      'key in grace',
    )
  })

  it('tells a sender of a malformed body what is wrong with it', async () => {
    const moment = at(1)
    const bodies: [unknown, RegExp][] = [
      [{}, /readings/],
      [{ readings: [] }, /readings/],
      [{ readings: {} }, /readings/],
      [[], /object/],
      [null, /object/],
      ['text', /object/],
      [{ readings: [{ at: moment }] }, /values/],
      [{ readings: [{ values: { a: 1 } }] }, /at/],
      [{ readings: [{ at: moment, values: {} }] }, /values/],
      [{ readings: [{ at: moment, values: { a: '1' } }] }, /number/],
      [{ readings: [{ at: moment, values: { a: null } }] }, /number/],
      [{ readings: [{ at: moment, values: { a: true } }] }, /number/],
      [{ readings: [{ at: 'yesterday', values: { a: 1 } }] }, /readings\[0\]\.at/],
      [{ readings: [{ at: '2001-01-01T00:00:00Z', values: { a: 1 } }] }, /400 days/],
      [
        { readings: [{ at: new Date(Date.now() + 3_700_000).toISOString(), values: { a: 1 } }] },
        /future/,
      ],
      [{ readings: [{ at: moment, values: { a: 1 }, serial: 'CDX-000124' }] }, /additional/],
      [{ readings: [{ at: moment, values: { a: 1 } }], serial: 'CDX-000124' }, /additional/],
      [{ readings: [{ at: moment, values: { 'a\u0000': 1 } }] }, /printable/],
    ]
    for (const [body, pattern] of bodies) {
      const answer = await gate.client.ask({
        path: '/v1/data',
        headers: headersOf(credentials()),
        raw: JSON.stringify(body),
      })
      assert.equal(answer.status, 400, JSON.stringify(body))
      assert.deepEqual(Object.keys(answer.body), ['error', 'requestId', 'message'])
      assert.equal(answer.body['error'], 'bad_request')
      assert.match(String(answer.body['message']), pattern)
    }
    const tooMany = Array.from({ length: 1_001 }, (_, index) => ({
      at: new Date(Date.now() - index).toISOString(),
      values: { a: 1 },
    }))
    assert.equal((await gate.client.post(credentials(), tooMany)).status, 400)
    const values = Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`v${index}`, 1]))
    assert.equal((await gate.client.post(credentials(), [{ at: moment, values }])).status, 400)
    const raws = [
      '{"readings":[{"at":"',
      '',
      'null',
      `{"readings":[{"at":"${moment}","values":{"a":1e999}}]}`,
      '{"__proto__":{}}',
    ]
    for (const raw of raws) {
      const answer = await gate.client.ask({
        path: '/v1/data',
        headers: headersOf(credentials()),
        raw,
        method: 'POST',
      })
      assert.equal(answer.status, 400, raw)
      assert.doesNotMatch(answer.text, /readings":\[\{/, 'repeats what was sent')
    }
  })

  it('answers 413 to too much and 415 to what is not JSON', async () => {
    const headers = headersOf(credentials())
    const huge = await gate.client.ask({
      path: '/v1/data',
      headers,
      raw: ' '.repeat(1024 * 1024 + 1),
    })
    assert.equal(huge.status, 413)
    assert.deepEqual(huge.body, { error: 'too_large', requestId: huge.headers['x-request-id'] })
    for (const type of ['text/plain', 'application/xml', 'multipart/form-data; boundary=x']) {
      const answer = await gate.client.ask({
        path: '/v1/data',
        headers: { ...headers, 'content-type': type },
        raw: '{}',
      })
      assert.equal(answer.status, 415, type)
      assert.equal(answer.body['error'], 'unsupported_media_type')
    }
  })

  it('publishes its public keys and nothing else of them', async () => {
    const answer = await gate.client.ask({ path: '/.well-known/jwks.json' })
    assert.equal(answer.status, 200)
    const { keys } = answer.body as { keys: Record<string, string>[] }
    assert.ok(keys.length >= 2)
    for (const key of keys) {
      assert.deepEqual(Object.keys(key).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
    }
  })

  it('counts the use of a key', async () => {
    const own = await plant.addDevice('CDX-000330', plant.installation)
    const { apiKey, keyId } = await plant.addKey(plant.installation.id, {
      state: 'GRACE',
      grace_until: new Date(Date.now() + 3_600_000),
    })
    const token = plant.token(own.serial)
    for (let turn = 0; turn < 5; turn += 1) await gate.client.authorize({ apiKey, token })
    let row: Record<string, unknown> | undefined
    await until(async () => {
      const { rows } = await fresh.database.query(
        'select use_count, first_used_at, last_used_at, host(last_used_address) as address from cleverctl.api_key where key_id = $1',
        [keyId],
      )
      row = rows[0]
      return row?.['use_count'] === '5'
    })
    assert.equal(row?.['address'], '127.0.0.1')
    assert.ok(row['first_used_at'] instanceof Date && row['last_used_at'] instanceof Date)
  })

  it('keeps keys, tokens and secrets out of its log', async () => {
    await delay(300)
    const text = JSON.stringify(gate.log)
    assert.ok(gate.log.some((line) => line['event'] === 'arrival.refused'))
    assert.doesNotMatch(text, /clv_live_\w{8}_/)
    assert.doesNotMatch(text, /eyJ/)
    assert.ok(!text.includes(device.secret))
  })
})
