import assert from 'node:assert/strict'
import { request } from 'node:https'
import { setTimeout as delay } from 'node:timers/promises'
import type { FreshDatabase } from '../support/database.js'
import { until } from '../support/until.js'
import { untilReady, type TestGate } from '../support/gate.js'
import { type Credentials } from '../support/gate-client.js'
import { type TestPlant } from '../support/plant.js'
import { withGate } from '../support/gate-suite.js'

// Runs alone: what it waits for has to come within a second.

const SEEN_MS = 1_000

describe('a revocation', () => {
  let fresh: FreshDatabase
  let plant: TestPlant
  let gate: TestGate
  let serials = 0

  withGate((up) => void ({ fresh, plant, gate } = up))

  /** A fresh installation, device and key, so that nothing a test ends is missed by another one. */
  const arrange = async () => {
    serials += 1
    const code = `solar-1${String(serials).padStart(3, '0')}`
    const installation = await plant.addInstallation(code)
    const device = await plant.addDevice(`CDX-1${String(serials).padStart(5, '0')}`, installation)
    const token = plant.token(device.serial, { installation: code })
    return { installation, device, sender: { apiKey: installation.apiKey, token } }
  }

  const status = async (sender: Credentials) => (await gate.client.authorize(sender)).status

  const acts: {
    name: string
    code: string
    act: (given: Awaited<ReturnType<typeof arrange>>) => Promise<unknown>
  }[] = [
    {
      name: 'of an API key',
      code: 'K_REVOKED',
      act: ({ installation }) =>
        fresh.database.query(
          `update cleverctl.api_key set state = 'REVOKED', revoked_at = now(), revoke_reason = 'leaked' where key_id = $1`,
          [installation.keyId],
        ),
    },
    {
      name: 'by a rotation without grace',
      code: 'K_GRACE_OVER',
      act: ({ installation }) =>
        fresh.database.query(
          `update cleverctl.api_key set state = 'RETIRED', retired_at = now() where key_id = $1`,
          [installation.keyId],
        ),
    },
    {
      name: 'of an installation',
      code: 'K_SITE_RETIRED',
      act: ({ installation }) =>
        fresh.database.query('update cleverctl.installation set retired_at = now() where id = $1', [
          installation.id,
        ]),
    },
    {
      name: "of an installation's tokens",
      code: 'T_EPOCH',
      act: ({ installation }) =>
        fresh.database.query(
          'update cleverctl.installation set token_epoch = token_epoch + 1 where id = $1',
          [installation.id],
        ),
    },
    {
      name: "of a device's tokens",
      code: 'T_EPOCH',
      act: ({ device }) =>
        fresh.database.query(
          'update cleverctl.device set token_epoch = token_epoch + 1 where id = $1',
          [device.id],
        ),
    },
    {
      name: 'of a device',
      code: 'D_REVOKED',
      act: ({ device }) =>
        fresh.database.query(
          `update cleverctl.device set revoked_at = now(), revoke_reason = 'stolen', token_epoch = token_epoch + 1
           where id = $1`,
          [device.id],
        ),
    },
    {
      name: 'of a placement',
      code: 'I_CLOSED',
      act: ({ device }) =>
        fresh.database.query(
          `update cleverctl.placement set during = tstzrange(lower(during), now()) where device_id = $1`,
          [device.id],
        ),
    },
  ]

  for (const { name, code, act } of acts) {
    it(`${name} is seen within a second, by memory that said yes a moment ago`, async () => {
      const given = await arrange()
      for (let turn = 0; turn < 3; turn += 1) assert.equal(await status(given.sender), 204)
      await act(given)
      const committed = performance.now()
      await until(async () => (await status(given.sender)) !== 204, SEEN_MS)
      assert.ok(performance.now() - committed < SEEN_MS)
      const refused = gate.log.findLast((line) => line['event'] === 'arrival.refused')
      assert.equal(refused?.['code'], code)
    })

    it(`${name} is seen when the listening connection was killed before it`, async () => {
      const given = await arrange()
      await untilReady(gate.client)
      for (let turn = 0; turn < 3; turn += 1) assert.equal(await status(given.sender), 204)
      await fresh.database.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where application_name = 'cleverctl gate listener' and datname = current_database()`,
      )
      await act(given)
      const committed = performance.now()
      await until(async () => (await status(given.sender)) !== 204, 2_000)
      assert.ok(performance.now() - committed < SEEN_MS)
    })
  }

  it('is seen when the listening connection has gone silent without breaking', async () => {
    const given = await arrange()
    await untilReady(gate.client)
    for (let turn = 0; turn < 3; turn += 1) assert.equal(await status(given.sender), 204)
    const { rows } = await fresh.database.query<{ pid: number }>(
      `select pid from pg_stat_activity
       where application_name = 'cleverctl gate listener' and datname = current_database()`,
    )
    const pid = rows[0]?.pid ?? assert.fail('nobody listens')
    // A stopped server process looks like a network that swallows packets.
    process.kill(pid, 'SIGSTOP')
    try {
      await fresh.database.query(
        `update cleverctl.device set revoked_at = now(), revoke_reason = 'stolen' where id = $1`,
        [given.device.id],
      )
      const committed = performance.now()
      await until(async () => (await status(given.sender)) !== 204, 2_000)
      assert.ok(performance.now() - committed < SEEN_MS + 250)
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    await untilReady(gate.client)
  })

  it('during a slow body refuses the body although its head was accepted', async () => {
    const given = await arrange()
    const body = JSON.stringify({
      readings: [{ at: new Date().toISOString(), values: { a: 1 } }],
    })
    const answered = new Promise<number>((resolve, reject) => {
      const outgoing = request(
        {
          host: '127.0.0.1',
          port: gate.client.port,
          ca: gate.client.certificate,
          method: 'POST',
          path: '/v1/data',
          headers: {
            'x-api-key': given.sender.apiKey,
            authorization: `Bearer ${given.sender.token}`,
            'content-type': 'application/json',
            'content-length': String(body.length),
          },
        },
        (incoming) => {
          incoming.resume()
          resolve(incoming.statusCode ?? 0)
        },
      )
      outgoing.on('error', reject)
      outgoing.write(body.slice(0, 10))
      void (async () => {
        await delay(300)
        await fresh.database.query(
          `update cleverctl.device set revoked_at = now(), revoke_reason = 'stolen' where id = $1`,
          [given.device.id],
        )
        await delay(300)
        outgoing.end(body.slice(10))
      })()
    })
    assert.equal(await answered, 403)
    const { rows } = await fresh.database.query(
      'select from cleverctl.reading where device_id = $1',
      [given.device.id],
    )
    assert.equal(rows.length, 0)
  })

  it('of many at once is seen for each of them', async () => {
    const many = []
    for (let turn = 0; turn < 30; turn += 1) many.push(await arrange())
    for (const { sender } of many) assert.equal(await status(sender), 204)
    await fresh.database.query(
      `update cleverctl.device set revoked_at = now(), revoke_reason = 'recall' where id = any($1)`,
      [many.map(({ device }) => device.id)],
    )
    await delay(SEEN_MS)
    for (const { sender } of many) assert.equal(await status(sender), 403)
  })

  it('of a signing key ends its tokens', async () => {
    const given = await arrange()
    assert.equal(await status(given.sender), 204)
    assert.equal(await status(given.sender), 204)
    const { kid } = plant.signer
    await fresh.database.query(
      `update cleverctl.signing_key set state = 'REVOKED', revoked_at = now(), sealed_private = null where kid = $1`,
      [kid],
    )
    await until(async () => (await status(given.sender)) === 401, SEEN_MS)
    const ready = await gate.client.ask({ path: '/readyz' })
    assert.equal(ready.status, 503, 'no key that signs')
    const active = await fresh.database.query<{ state: string }>(
      `update cleverctl.signing_key set state = 'ACTIVE', activated_at = now() where state = 'NEXT' returning state`,
    )
    assert.equal(active.rows.length, 1)
    await untilReady(gate.client)
  })
})
