import assert from 'node:assert/strict'
import { apiKeyDigest, generateApiKey } from '../../src/lib/api-key/format.js'
import { systemRandom } from '../../src/lib/clock.js'
import type { Database } from '../../src/lib/database/database.js'
import { freshDatabase, type FreshDatabase } from '../support/database.js'
import { headersOf } from '../support/gate-client.js'
import { preparePlant, type TestPlant } from '../support/plant.js'
import { startTestGate, type TestGate } from '../support/gate.js'

describe('an unknown and a wrong API key', () => {
  let fresh: FreshDatabase
  let plant: TestPlant
  let gate: TestGate
  let asked = 0

  before(async () => {
    fresh = await freshDatabase()
    plant = await preparePlant(fresh.database)
    await plant.addDevice('CDX-000123', plant.installation)
    gate = await startTestGate({ ...plant.workspace, database: counted(fresh.database) })
  })

  after(async () => {
    await gate?.stop()
    await fresh?.drop()
  })

  /** Counts the connections that are borrowed: the gate borrows one for each statement. */
  const counted = (database: Database): Database =>
    new Proxy(database, {
      get: (target, name) => {
        if (name === 'connection') asked += 1
        const member: unknown = Reflect.get(target, name)
        return typeof member === 'function' ? (member.bind(target) as unknown) : member
      },
    })

  /** Keys that must all look the same from outside. */
  const keys = async (): Promise<Record<string, string>> => {
    const right = plant.apiKey
    const unknown = generateApiKey(systemRandom).apiKey.reveal()
    const [, , , secret = ''] = right.split('_')
    const other = secret.startsWith('A') ? 'B' : 'A'
    const revoked = await plant.addKey(plant.installation.id, {
      state: 'REVOKED',
      revoked_at: new Date(),
      revoke_reason: 'leaked',
    })
    return {
      unknown,
      wrong: right.replace(secret, other + secret.slice(1)),
      'with a wrong checksum': `${right.slice(0, -1)}${right.endsWith('0') ? '1' : '0'}`,
      revoked: revoked.apiKey,
      'right key id, other secret': unknown.replace(/_(\w{8})_/, `_${plant.keyId}_`),
      'without form': 'x'.repeat(right.length),
    }
  }

  const shape = (answer: { headers: object; body: Record<string, unknown>; status: number }) => ({
    status: answer.status,
    error: answer.body['error'],
    fields: Object.keys(answer.body),
    headers: Object.keys(answer.headers).sort(),
  })

  it('get the same answer', async () => {
    const token = plant.token('CDX-000123')
    const shapes = new Set<string>()
    for (const apiKey of Object.values(await keys())) {
      shapes.add(JSON.stringify(shape(await gate.client.authorize({ apiKey, token }))))
    }
    assert.equal(shapes.size, 1, [...shapes].join('\n'))
    const tokens = new Set<string>()
    for (const apiKey of Object.values(await keys())) {
      const answer = await gate.client.ask({
        path: '/v1/token',
        headers: headersOf({ apiKey }),
        body: { serial: 'CDX-000123', secret: 'x' },
      })
      tokens.add(JSON.stringify(shape(answer)))
    }
    assert.equal(tokens.size, 1, [...tokens].join('\n'))
  })

  it('cost the same work, whatever the gate remembers of the right one', async () => {
    const token = plant.token('CDX-000123')
    for (let turn = 0; turn < 3; turn += 1) {
      assert.equal((await gate.client.authorize({ apiKey: plant.apiKey, token })).status, 204)
    }
    const costs: Record<string, number[]> = {}
    for (const [name, apiKey] of Object.entries(await keys())) {
      for (let turn = 0; turn < 5; turn += 1) {
        const before = asked
        await gate.client.authorize({ apiKey, token })
        // Counters that are written from time to time borrow connections too: the smallest counts.
        costs[name] = [...(costs[name] ?? []), asked - before]
      }
    }
    const least = Object.entries(costs).map(([name, each]) => [name, Math.min(...each)])
    assert.deepEqual(new Set(least.map(([, cost]) => cost)), new Set([1]), JSON.stringify(least))
  })

  it('are refused even when the digest is that of nothing', async () => {
    const empty = await plant.addInstallation('solar-0099')
    await fresh.database.query('update cleverctl.api_key set digest = $2 where key_id = $1', [
      empty.keyId,
      Buffer.alloc(32),
    ])
    const answer = await gate.client.authorize({ apiKey: empty.apiKey, token: 'x' })
    assert.equal(answer.status, 401)
    assert.notDeepEqual(apiKeyDigest(empty.apiKey), Buffer.alloc(32))
  })
})
