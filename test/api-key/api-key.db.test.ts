import assert from 'node:assert/strict'
import { apiKeyDigest, parseApiKey } from '../../src/lib/api-key/format.js'
import { issueApiKey } from '../../src/lib/api-key/issue.js'
import { listApiKeys } from '../../src/lib/api-key/list.js'
import { revokeApiKey } from '../../src/lib/api-key/revoke.js'
import { rotateApiKey } from '../../src/lib/api-key/rotate.js'
import { ConflictError, NotFoundError, RefusedError, UsageError } from '../../src/lib/errors.js'
import type { SecretDelivery } from '../../src/lib/secret-delivery.js'
import { Secret } from '../../src/lib/secret.js'
import { listSigningKeys } from '../../src/lib/signing-key/list.js'
import type { Workspace } from '../../src/lib/workspace.js'
import {
  freshDatabase,
  testClock,
  testWorkspace,
  type FreshDatabase,
  type TestClock,
} from '../support/database.js'
import { roleDatabase, type RoleDatabase } from '../support/roles.js'

const HOUR = 3_600_000
const DAY = 24 * HOUR

/** Keeps the delivered secret for the test to look at. */
interface Delivery extends SecretDelivery {
  secrets: string[]
  log: string[]
}

function delivery(overrides: Partial<SecretDelivery> = {}): Delivery {
  const secrets: string[] = []
  const log: string[] = []
  return {
    secrets,
    log,
    resume: async () => false,
    stage: async (secret) => {
      log.push('stage')
      secrets.push(secret.reveal())
    },
    finish: async () => void log.push('finish'),
    discard: async () => void log.push('discard'),
    revealed: () => undefined,
    ...overrides,
  }
}

describe('API keys in the database', () => {
  let fresh: FreshDatabase
  let staff: RoleDatabase
  let workspace: Workspace
  let clock: TestClock
  let plants = 0

  before(async () => {
    fresh = await freshDatabase()
    staff = await roleDatabase(fresh, 'cleverctl_staff')
  })

  after(async () => {
    await staff.close()
    await fresh.drop()
  })

  beforeEach(() => {
    clock = testClock('2026-06-01T12:00:00Z')
    workspace = testWorkspace(staff.database, { clock })
  })

  async function plant(): Promise<string> {
    const code = `solar-${String(++plants).padStart(4, '0')}`
    await fresh.database.query(
      `insert into cleverctl.installation (code, name, timezone, latitude, longitude)
       values ($1, 'Almeria', 'Europe/Madrid', 36.84, -2.46)`,
      [code],
    )
    return code
  }

  async function issue(installation: string, lifetimeMs?: number) {
    const given = delivery()
    const made = await issueApiKey(workspace, { installation, lifetimeMs, delivery: given })
    return { ...made, text: given.secrets[0] ?? '' }
  }

  async function rotate(installation: string, graceMs: number, lifetimeMs?: number) {
    const given = delivery()
    return rotateApiKey(workspace, {
      installation,
      overlap: { graceMs, adoption: undefined },
      lifetimeMs,
      delivery: given,
    })
  }

  async function states(installation: string): Promise<string[]> {
    const { apiKeys } = await listApiKeys(workspace, { installation })
    return apiKeys.map(({ version, state }) => `${version} ${state}`)
  }

  async function trailOf(installation: string) {
    const { rows } = await fresh.database.query<{ action: string; details: object }>(
      'select action, details from cleverctl.trail where subject = $1 order by seq',
      [installation],
    )
    return rows
  }

  it('issues a key, keeps its digest alone and writes the trail', async () => {
    const installation = await plant()
    const { text, ...made } = await issue(installation)
    assert.deepEqual(made, {
      installation,
      keyId: parseApiKey(text)?.keyId,
      version: 1,
      createdAt: '2026-06-01T12:00:00.000Z',
      expiresAt: null,
    })
    const { rows } = await fresh.database.query<{ digest: Buffer; everything: string }>(
      'select digest, key::text as everything from cleverctl.api_key as key where key_id = $1',
      [made.keyId],
    )
    assert.deepEqual(rows[0]?.digest, apiKeyDigest(text))
    assert.ok(!rows[0]?.everything.includes(text.slice(18, 61)))
    const trail = await trailOf(installation)
    assert.deepEqual(trail, [
      { action: 'api-key.issue', details: { keyId: made.keyId, version: 1, expiresAt: null } },
    ])
  })

  it('refuses a second current key and names rotate', async () => {
    const installation = await plant()
    await issue(installation)
    const given = delivery()
    await assert.rejects(
      issueApiKey(workspace, { installation, lifetimeMs: undefined, delivery: given }),
      (error) =>
        error instanceof ConflictError &&
        error.code === 'api-key-exists' &&
        error.suggestions[0] === `cleverctl api-key rotate ${installation} --output key2.txt`,
    )
    assert.deepEqual(given.log, ['discard'])
  })

  it('issues anew where the current key has expired or was revoked', async () => {
    const installation = await plant()
    const { keyId } = await issue(installation, HOUR)
    clock.advance(HOUR)
    await issue(installation)
    assert.deepEqual(await states(installation), ['2 CURRENT', '1 RETIRED'])
    const other = await plant()
    const first = await issue(other)
    await revokeApiKey(workspace, { installation: other, keyId: first.keyId, reason: 'lost' })
    await issue(other)
    assert.deepEqual(await states(other), ['2 CURRENT', '1 REVOKED'])
    assert.notEqual(first.keyId, keyId)
  })

  it('rotates with a grace that the clock ends', async () => {
    const installation = await plant()
    const first = await issue(installation)
    clock.advance(DAY)
    const rotated = await rotate(installation, DAY)
    assert.equal(rotated.version, 2)
    assert.deepEqual(
      rotated.grace.map(({ keyId, graceUntil }) => [keyId, graceUntil]),
      [[first.keyId, '2026-06-03T12:00:00.000Z']],
    )
    clock.advance(DAY - 1)
    assert.deepEqual(await states(installation), ['2 CURRENT', '1 GRACE'])
    clock.advance(1)
    assert.deepEqual(await states(installation), ['2 CURRENT', '1 RETIRED'])
  })

  it('ends every former key at once with a grace of 0', async () => {
    const installation = await plant()
    await issue(installation)
    await rotate(installation, DAY)
    const rotated = await rotate(installation, 0)
    assert.deepEqual(rotated.grace, [])
    assert.deepEqual(await states(installation), ['3 CURRENT', '2 RETIRED', '1 RETIRED'])
  })

  it('lets an earlier grace run to its own end, and none beyond the latest one', async () => {
    const installation = await plant()
    await issue(installation)
    await rotate(installation, HOUR)
    const longer = await rotate(installation, DAY)
    assert.deepEqual(
      longer.grace.map(({ version, graceUntil }) => [version, graceUntil]),
      [
        [2, '2026-06-02T12:00:00.000Z'],
        [1, '2026-06-01T13:00:00.000Z'],
      ],
    )
    const shorter = await rotate(installation, HOUR / 2)
    assert.deepEqual(
      new Set(shorter.grace.map(({ graceUntil }) => graceUntil)),
      new Set(['2026-06-01T12:30:00.000Z']),
    )
    assert.equal(shorter.grace.length, 3)
  })

  it('never lets a grace outlast the key itself, and gives the new key the same life', async () => {
    const installation = await plant()
    await issue(installation, 2 * HOUR)
    clock.advance(HOUR)
    const rotated = await rotate(installation, DAY)
    assert.equal(rotated.grace[0]?.graceUntil, '2026-06-01T14:00:00.000Z')
    assert.equal(rotated.expiresAt, '2026-06-01T15:00:00.000Z')
    const other = await rotate(installation, 0, DAY)
    assert.equal(other.expiresAt, '2026-06-02T13:00:00.000Z')
  })

  it('rotates an expired key without any grace', async () => {
    const installation = await plant()
    await issue(installation, HOUR)
    clock.advance(2 * HOUR)
    assert.deepEqual((await rotate(installation, DAY)).grace, [])
    assert.deepEqual(await states(installation), ['2 CURRENT', '1 RETIRED'])
  })

  it('has nothing to rotate without a current key, and names issue', async () => {
    const installation = await plant()
    await assert.rejects(
      rotate(installation, 0),
      (error) =>
        error instanceof ConflictError &&
        error.code === 'no-current-api-key' &&
        error.suggestions[0] === `cleverctl api-key issue ${installation} --output key.txt`,
    )
    await issue(installation)
    await revokeApiKey(workspace, { installation, keyId: undefined, reason: 'lost' })
    await assert.rejects(rotate(installation, 0), ConflictError)
  })

  it('revokes one key, or all that could still open the gate, and says the second time unchanged', async () => {
    const installation = await plant()
    const first = await issue(installation)
    const second = await rotate(installation, DAY)
    const one = { installation, keyId: first.keyId, reason: 'leaked' }
    assert.deepEqual((await revokeApiKey(workspace, one)).revoked, [first.keyId])
    assert.deepEqual(await revokeApiKey(workspace, one), {
      installation,
      revoked: [],
      unchanged: [first.keyId],
      currentKeyId: second.keyId,
      dark: [],
    })
    assert.deepEqual(await states(installation), ['2 CURRENT', '1 REVOKED'])
    const third = await rotate(installation, DAY)
    const all = await revokeApiKey(workspace, { installation, keyId: undefined, reason: 'leaked' })
    assert.deepEqual(new Set(all.revoked), new Set([second.keyId, third.keyId]))
    assert.deepEqual(await states(installation), ['3 REVOKED', '2 REVOKED', '1 REVOKED'])
    const revocations = (await trailOf(installation)).filter(
      ({ action }) => action === 'api-key.revoke',
    )
    assert.equal(revocations.length, 2)
    assert.deepEqual(revocations[0]?.details, { keyIds: [first.keyId], reason: 'leaked' })
  })

  it('revokes a retired key, and a key of a retired installation', async () => {
    const installation = await plant()
    const { keyId } = await issue(installation)
    await rotate(installation, 0)
    await fresh.database.query(
      'update cleverctl.installation set retired_at = now() where code = $1',
      [installation],
    )
    await revokeApiKey(workspace, { installation, keyId, reason: 'leaked' })
    assert.deepEqual(await states(installation), ['2 CURRENT', '1 REVOKED'])
  })

  it('does not revoke a key of another installation', async () => {
    const [mine, other] = [await plant(), await plant()]
    const { keyId } = await issue(other)
    await assert.rejects(
      revokeApiKey(workspace, { installation: mine, keyId, reason: 'leaked' }),
      NotFoundError,
    )
    assert.deepEqual(await states(other), ['1 CURRENT'])
  })

  it('revokes nothing without a reason', async () => {
    const installation = await plant()
    await issue(installation)
    for (const reason of ['', '  ', 'x'.repeat(501)]) {
      const asked = { installation, keyId: undefined, reason }
      await assert.rejects(revokeApiKey(workspace, asked), UsageError)
    }
    assert.deepEqual(await states(installation), ['1 CURRENT'])
  })

  it('lists for an auditor, who may change nothing', async () => {
    const installation = await plant()
    await issue(installation)
    const auditor = await roleDatabase(fresh, 'cleverctl_auditor')
    const eyes = { ...workspace, database: auditor.database }
    const { apiKeys } = await listApiKeys(eyes, { installation })
    assert.equal(apiKeys.length, 1)
    const asked = { installation, keyId: undefined, reason: 'leaked' }
    await assert.rejects(revokeApiKey(eyes, asked), RefusedError)
    assert.equal((await listSigningKeys(eyes)).signingKeys.length, 0)
    await auditor.close()
  })

  it('makes no key for an unknown or a retired installation', async () => {
    await assert.rejects(issue('solar-9999'), NotFoundError)
    await assert.rejects(rotate('solar-9999', 0), NotFoundError)
    await assert.rejects(listApiKeys(workspace, { installation: 'solar-9999' }), NotFoundError)
    const installation = await plant()
    await fresh.database.query(
      'update cleverctl.installation set retired_at = now() where code = $1',
      [installation],
    )
    await assert.rejects(issue(installation), ConflictError)
  })

  for (const [name, lifetimeMs] of [
    ['no time', 0],
    ['less than a second', 999],
    ['more than ten years', 3651 * DAY],
  ] as const) {
    it(`makes no key that lives ${name}`, async () => {
      await assert.rejects(issue(await plant(), lifetimeMs), UsageError)
    })
  }

  it('gives no grace of more than a year', async () => {
    await assert.rejects(rotate(await plant(), 366 * DAY), UsageError)
  })

  it('changes nothing when the key cannot be delivered', async () => {
    const installation = await plant()
    const broken = delivery({
      stage: async () => {
        throw new Error('disk full')
      },
    })
    const asked = { installation, lifetimeMs: undefined, delivery: broken }
    await assert.rejects(issueApiKey(workspace, asked), /disk full/)
    assert.deepEqual(broken.log, ['discard'])
    assert.deepEqual(await states(installation), [])
    assert.deepEqual(await trailOf(installation), [])
  })

  it('delivers before the commit', async () => {
    const installation = await plant()
    let seen = -1
    const watching = delivery({
      stage: async () => {
        seen = (await states(installation)).length
      },
    })
    await issueApiKey(workspace, { installation, lifetimeMs: undefined, delivery: watching })
    assert.equal(seen, 0)
    assert.equal((await states(installation)).length, 1)
  })

  it('completes the delivery of an interrupted run instead of making another key', async () => {
    const installation = await plant()
    const { text, keyId } = await issue(installation)
    const asked: boolean[] = []
    const leftover = (secret: string) =>
      delivery({
        resume: async (isCommitted) => {
          const committed = await isCommitted(new Secret(secret))
          asked.push(committed)
          return committed
        },
      })
    const again = { installation, lifetimeMs: undefined, delivery: leftover(text) }
    assert.equal((await issueApiKey(workspace, again)).keyId, keyId)
    const overlap = { graceMs: 0, adoption: undefined }
    const rotation = { installation, lifetimeMs: undefined, overlap, delivery: leftover(text) }
    assert.equal((await rotateApiKey(workspace, rotation)).keyId, keyId)
    assert.deepEqual(await states(installation), ['1 CURRENT'])
    // The key of another installation, or one that never was committed, is not this run's.
    const other = await plant()
    await issueApiKey(workspace, { ...again, installation: other, delivery: leftover(text) })
    assert.deepEqual(asked, [true, true, false])
    assert.equal((await trailOf(installation)).length, 1)
  })

  it('gives out one current key when many processes issue at once', async () => {
    const installation = await plant()
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => issue(installation)))
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
    for (const result of results) {
      if (result.status === 'rejected') assert.ok(result.reason instanceof ConflictError)
    }
    await Promise.all(Array.from({ length: 8 }, () => rotate(installation, DAY)))
    const found = await states(installation)
    assert.equal(found.length, 9)
    assert.equal(found.filter((state) => state.endsWith('CURRENT')).length, 1)
  })

  it('tells gates of a new, a rotated and a revoked key', async () => {
    const installation = await plant()
    const heard: string[] = []
    await fresh.database.connection(async (client) => {
      client.on('notification', ({ payload }) => heard.push(payload ?? ''))
      await client.query('listen cleverctl_gate')
      const first = await issue(installation)
      const second = await rotate(installation, DAY)
      await revokeApiKey(workspace, { installation, keyId: second.keyId, reason: 'leaked' })
      const deadline = Date.now() + 5000
      while (heard.length < 4 && Date.now() < deadline) await client.query('select 1')
      const wanted = [first.keyId, first.keyId, second.keyId, second.keyId]
      assert.deepEqual(heard.sort(), wanted.map((keyId) => `api-key:${keyId}`).sort())
    })
  })
})
