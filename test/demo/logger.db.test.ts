import assert from 'node:assert/strict'
import { rotateApiKey } from '../../src/lib/api-key/rotate.js'
import { memoryFlash, ReferenceLogger, type Ask, type Flash } from '../../src/lib/demo/logger.js'
import type { FreshDatabase } from '../support/database.js'
import { until } from '../support/until.js'
import { type Answer } from '../support/gate-client.js'
import { type TestDevice, type TestPlant } from '../support/plant.js'
import { type TestGate } from '../support/gate.js'
import { withGate } from '../support/gate-suite.js'
import { keptSecret } from '../support/secret-delivery.js'

const WEEK = 7 * 86_400_000
const ADOPTION = { graceMs: 0, adoption: { percent: 100, hardDeadlineMs: WEEK } }

class PowerCut extends Error {}

describe('the reference logger', () => {
  let fresh: FreshDatabase
  let plant: TestPlant
  let gate: TestGate
  let count = 0

  withGate((up) => void ({ fresh, plant, gate } = up))

  const arrange = async (): Promise<{ code: string; device: TestDevice; flash: Flash }> => {
    count += 1
    const code = `solar-2${String(count).padStart(3, '0')}`
    const installation = await plant.addInstallation(code)
    const device = await plant.addDevice(`CDX-2${String(count).padStart(5, '0')}`, installation)
    const { serial, secret } = device
    return { code, device, flash: memoryFlash({ serial, secret, apiKey: installation.apiKey }) }
  }

  const rotate = async (code: string, overlap = ADOPTION): Promise<string> => {
    const { delivery, secret } = keptSecret()
    await rotateApiKey(plant.workspace, {
      installation: code,
      overlap,
      lifetimeMs: undefined,
      delivery,
    })
    return secret()
  }

  const ask: Ask = ({ method, path, headers = {}, body }) =>
    gate.client.ask({ method, path, headers, body })

  let lastAt = 0
  /** No two readings of the same time, however fast the posts are. */
  const measure = (now: Date) => {
    lastAt = Math.max(now.getTime(), lastAt + 1)
    return [{ at: new Date(lastAt), values: { powerW: 4210 } }]
  }

  /** The gate hears of the rotation a moment after its commit, and hands over from then on. */
  const untilHandedOver = async (logger: ReferenceLogger): Promise<Answer> => {
    let answer = (await logger.post(measure)) as Answer
    await until(async () => {
      if ('credentials' in answer.body) return true
      answer = (await logger.post(measure)) as Answer
      assert.equal(answer.status, 202)
      return false
    })
    return answer
  }

  const stored = async ({ id }: TestDevice): Promise<number> => {
    const { rows } = await fresh.database.query<{ count: number }>(
      'select count(*)::int from cleverctl.reading where device_id = $1',
      [id],
    )
    return rows[0]?.count ?? 0
  }

  it('takes over the key that the gate hands to it, and the old one then ends', async () => {
    const { code, flash } = await arrange()
    const logger = new ReferenceLogger({ ask, flash })
    const before = await flash.read()
    assert.equal((await logger.post(measure)).status, 202)
    const fresh2 = await rotate(code)
    const handed = await untilHandedOver(logger)
    const { credentials } = handed.body as { credentials: { apiKey: Record<string, string> } }
    assert.equal(credentials.apiKey['value'], fresh2)
    assert.ok(Date.parse(credentials.apiKey['notAfter'] ?? '') > Date.now() + WEEK / 2)
    assert.equal(handed.headers['cache-control'], 'no-store')
    assert.deepEqual(await flash.read(), { ...before, nextApiKey: fresh2 })
    const adopted = await logger.post(measure)
    assert.equal(adopted.status, 202)
    assert.equal('credentials' in adopted.body, false)
    assert.equal((await flash.read()).apiKey, fresh2)
    await until(async () => (await statesOf(fresh, code)) === 'CURRENT, RETIRED', 10_000)
    assert.equal(await sealedOf(fresh, code), 0, 'the sealed copy is erased when the last has it')
    assert.ok(!JSON.stringify(gate.log).includes(fresh2), 'in the log of the gate')
    const metrics = await gate.running.metrics.registry.metrics()
    assert.match(metrics, /^cleverctl_gate_keys_handed_over_total [1-9]/m)
  })

  it('goes on from its flash after a power cut between any two steps, and loses nothing', async () => {
    let cutAt = 0
    for (let wasCut = true; wasCut; cutAt += 1) {
      const { code, device, flash } = await arrange()
      const first = new ReferenceLogger({ ask, flash })
      assert.equal((await first.post(measure)).status, 202)
      const newKey = await rotate(code)
      let step = 0
      const cut = () => {
        if (step++ === cutAt) throw new PowerCut()
      }
      const fragile = new ReferenceLogger({
        ask: async (request) => {
          cut()
          const answer = await ask(request)
          cut()
          return answer
        },
        flash: {
          read: async () => {
            cut()
            return flash.read()
          },
          write: async (memory) => {
            cut()
            await flash.write(memory)
            cut()
          },
        },
      })
      wasCut = false
      try {
        // Two posts take the key over: one that hands it over, one that uses it.
        for (let posts = 0; posts < 2; posts += 1)
          assert.equal((await fragile.post(measure)).status, 202)
      } catch (error) {
        if (!(error instanceof PowerCut)) throw error
        wasCut = true
      }
      const rebooted = new ReferenceLogger({ ask, flash })
      const before = await stored(device)
      for (let posts = 0; posts < 3; posts += 1)
        assert.equal((await rebooted.post(measure)).status, 202, `cut at step ${cutAt}`)
      assert.equal((await flash.read()).apiKey, newKey, `cut at step ${cutAt}`)
      assert.equal(await stored(device), before + 3)
    }
    assert.ok(cutAt > 10, `only ${cutAt} steps`)
  })

  it('falls back on the former key when the new one is refused', async () => {
    const { code, flash } = await arrange()
    const logger = new ReferenceLogger({ ask, flash })
    assert.equal((await logger.post(measure)).status, 202)
    await rotate(code)
    await untilHandedOver(logger)
    const { nextApiKey = '' } = await flash.read()
    const wrong = nextApiKey.replace(/.$/, (last) => (last === 'a' ? 'b' : 'a'))
    const former = (await flash.read()).apiKey
    await flash.write({ ...(await flash.read()), nextApiKey: wrong })
    assert.equal((await logger.fetchToken()).status, 200)
    const { apiKey, nextApiKey: again } = await flash.read()
    assert.deepEqual([apiKey, again], [former, nextApiKey], 'kept, and handed over again')
    assert.equal((await logger.post(measure)).status, 202)
  })

  it('follows two rotations that come one after the other', async () => {
    const { code, flash } = await arrange()
    const logger = new ReferenceLogger({ ask, flash })
    await rotate(code)
    assert.equal((await logger.post(measure)).status, 202)
    const last = await rotate(code)
    for (let posts = 0; posts < 3; posts += 1)
      assert.equal((await logger.post(measure)).status, 202)
    assert.equal((await flash.read()).apiKey, last)
  })

  it("sets its clock by the gate's, so that a dead one does no harm", async () => {
    const { device, flash } = await arrange()
    const logger = new ReferenceLogger({ ask, flash, clock: () => new Date(0) })
    assert.equal((await logger.post(measure)).status, 202)
    const { rows } = await fresh.database.query<{ at: Date }>(
      'select at from cleverctl.reading where device_id = $1',
      [device.id],
    )
    assert.ok(Math.abs((rows[0]?.at.getTime() ?? 0) - Date.now()) < 60_000)
  })
})

async function statesOf({ database }: FreshDatabase, code: string): Promise<string> {
  const { rows } = await database.query<{ states: string }>(
    `select string_agg(key.state, ', ' order by key.version desc) as states
     from cleverctl.api_key as key join cleverctl.installation on installation.id = installation_id
     where code = $1`,
    [code],
  )
  return rows[0]?.states ?? ''
}

async function sealedOf({ database }: FreshDatabase, code: string): Promise<number> {
  const { rows } = await database.query<{ count: number }>(
    `select count(sealed)::int from cleverctl.api_key as key
     join cleverctl.installation on installation.id = installation_id where code = $1`,
    [code],
  )
  return rows[0]?.count ?? 0
}
