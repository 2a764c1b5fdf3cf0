import assert from 'node:assert/strict'
import { issueApiKey } from '../../src/lib/api-key/issue.js'
import { listApiKeys } from '../../src/lib/api-key/list.js'
import { revokeApiKey } from '../../src/lib/api-key/revoke.js'
import { rotateApiKey } from '../../src/lib/api-key/rotate.js'
import { apiKeyStatus, checkApiKeys } from '../../src/lib/api-key/status.js'
import { loadSuccessor } from '../../src/lib/api-key/successor.js'
import type { Adoption } from '../../src/lib/api-key/types.js'
import { FindingsError, NotFoundError, UsageError } from '../../src/lib/errors.js'
import { settleDueKeys, settleKeys, writeSightings } from '../../src/lib/gate/sighting-store.js'
import type { Workspace } from '../../src/lib/workspace.js'
import {
  freshDatabase,
  testClock,
  testWorkspace,
  type FreshDatabase,
  type TestClock,
} from '../support/database.js'
import { preparePlant, type TestDevice, type TestPlant } from '../support/plant.js'
import { roleDatabase, type RoleDatabase } from '../support/roles.js'
import { keptSecret } from '../support/secret-delivery.js'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const ALL: Adoption = { percent: 100, hardDeadlineMs: 14 * DAY }
const ACTOR = { osUser: 'gate', host: 'gate-host', ciJob: undefined }

describe('the adoption of a new API key', () => {
  let fresh: FreshDatabase
  let plant: TestPlant
  let staff: RoleDatabase
  let gate: RoleDatabase
  let workspace: Workspace
  let clock: TestClock
  let count = 0

  before(async () => {
    fresh = await freshDatabase()
    plant = await preparePlant(fresh.database)
    staff = await roleDatabase(fresh, 'cleverctl_staff')
    gate = await roleDatabase(fresh, 'cleverctl_gate')
  })

  after(async () => {
    await staff.close()
    await gate.close()
    await fresh.drop()
  })

  beforeEach(() => {
    clock = testClock('2026-06-01T12:00:00Z')
    const keyring = () => plant.workspace.keyring()
    workspace = testWorkspace(staff.database, { clock, keyring })
  })

  /** An installation with a key of its own and so many devices. */
  const site = async (devices: number) => {
    count += 1
    const code = `site-${count}`
    const { rows } = await fresh.database.query<{ id: string }>(
      `insert into cleverctl.installation (code, name, timezone, latitude, longitude)
       values ($1, 'Almeria', 'Europe/Madrid', 36.84, -2.46) returning id`,
      [code],
    )
    const id = rows[0]?.id ?? ''
    await issue(code)
    const made: TestDevice[] = []
    for (let index = 0; index < devices; index += 1)
      made.push(await plant.addDevice(`CDX-${count}-${index}`, { id }))
    return { code, id, devices: made }
  }

  const issue = async (code: string) =>
    issueApiKey(workspace, { installation: code, lifetimeMs: undefined, ...keptSecret() })

  const rotate = async (code: string, graceMs: number, adoption?: Adoption) => {
    const { delivery, secret } = keptSecret()
    const overlap = { graceMs, adoption }
    const asked = { installation: code, overlap, lifetimeMs: undefined, delivery }
    return { ...(await rotateApiKey(workspace, asked)), text: secret() }
  }

  const rowIdOf = async (keyId: string): Promise<string> => {
    const { rows } = await fresh.database.query<{ id: string }>(
      'select id from cleverctl.api_key where key_id = $1',
      [keyId],
    )
    return rows[0]?.id ?? ''
  }

  /** A gate sees devices with a key, and settles what follows from it. */
  const see = async (keyId: string, devices: readonly TestDevice[]) => {
    const apiKeyId = await rowIdOf(keyId)
    const at = clock.now()
    const adopting = await writeSightings(
      gate.database,
      devices.map(({ id }) => ({
        deviceId: id,
        apiKeyId,
        firstAt: at,
        lastAt: at,
        arrivals: 1,
        address: '192.0.2.7',
      })),
    )
    await settleKeys(gate.database, adopting, at, ACTOR)
  }

  const settleDue = () => settleDueKeys(gate.database, clock.now(), ACTOR)

  const states = async (code: string): Promise<string> => {
    const { rows } = await fresh.database.query<{ states: string }>(
      `select string_agg(key.state, ' ' order by key.version) as states from cleverctl.api_key as key
       join cleverctl.installation on installation.id = installation_id where code = $1`,
      [code],
    )
    return rows[0]?.states ?? ''
  }

  const retirements = async (code: string) => {
    const { rows } = await fresh.database.query<{ details: object; role: string }>(
      `select details, database_role as role from cleverctl.trail
       where subject = $1 and action = 'api-key.retire' order by seq`,
      [code],
    )
    return rows
  }

  const sealedCount = async (code: string) => {
    const { rows } = await fresh.database.query<{ count: number }>(
      `select count(sealed)::int from cleverctl.api_key as key
       join cleverctl.installation on installation.id = installation_id where code = $1`,
      [code],
    )
    return rows[0]?.count
  }

  it('retires the former key when the last device was seen with the new one, and says so', async () => {
    const { code, devices } = await site(3)
    const { keyId, grace } = await rotate(code, 0, ALL)
    await see(keyId, devices.slice(0, 2))
    assert.equal(await states(code), 'GRACE CURRENT')
    assert.equal(await sealedCount(code), 1)
    await see(keyId, devices.slice(2))
    assert.equal(await states(code), 'RETIRED CURRENT')
    assert.equal(await sealedCount(code), 0)
    assert.deepEqual(await retirements(code), [
      {
        details: { keyId: grace[0]?.keyId, because: 'adopted', adopted: 3, devices: 3 },
        role: gate.role,
      },
    ])
  })

  it('is content with a share of the devices where no more is asked for', async () => {
    const { code, devices } = await site(4)
    const { keyId } = await rotate(code, 0, { ...ALL, percent: 75 })
    await see(keyId, devices.slice(0, 2))
    assert.equal(await states(code), 'GRACE CURRENT')
    await see(keyId, devices.slice(2, 3))
    assert.equal(await states(code), 'RETIRED CURRENT')
    assert.equal(await sealedCount(code), 0, 'no former key is left to come with')
  })

  it('keeps the former key for the grace even when all have the new one', async () => {
    const { code, devices } = await site(2)
    const { keyId } = await rotate(code, DAY, ALL)
    await see(keyId, devices)
    assert.equal(await states(code), 'GRACE CURRENT')
    assert.equal(await sealedCount(code), 0, 'everybody has it')
    clock.advance(DAY - 1)
    await settleDue()
    assert.equal(await states(code), 'GRACE CURRENT')
    clock.advance(1)
    await settleDue()
    assert.equal(await states(code), 'RETIRED CURRENT')
  })

  it('ends at the hard deadline whoever is missing, and names how many', async () => {
    const { code, devices } = await site(2)
    const { keyId, grace } = await rotate(code, DAY, ALL)
    await see(keyId, devices.slice(0, 1))
    clock.advance(14 * DAY - 1)
    await settleDue()
    assert.equal(await states(code), 'GRACE CURRENT')
    clock.advance(1)
    await settleDue()
    assert.equal(await states(code), 'RETIRED CURRENT')
    const [retirement] = await retirements(code)
    assert.deepEqual(retirement?.details, {
      keyId: grace[0]?.keyId,
      because: 'deadline',
      adopted: 1,
      devices: 2,
    })
    const [status] = (await statusOf(code)).installations
    assert.deepEqual(status?.problems, ['deadline-passed'])
  })

  it('waits for no device that was removed or revoked', async () => {
    const { code, devices } = await site(3)
    const { keyId } = await rotate(code, 0, ALL)
    await see(keyId, devices.slice(0, 1))
    await fresh.database.query(
      `update cleverctl.device set revoked_at = now(), revoke_reason = 'stolen' where id = $1`,
      [devices[1]?.id],
    )
    await settleDue()
    assert.equal(await states(code), 'GRACE CURRENT')
    await fresh.database.query(
      `update cleverctl.placement set during = tstzrange(lower(during), now()) where device_id = $1`,
      [devices[2]?.id],
    )
    await settleDue()
    assert.equal(await states(code), 'RETIRED CURRENT')
  })

  it('believes no clock that is ahead', async () => {
    const { code, devices } = await site(1)
    // Real time is later than the test's, so the database's own clock bounds nothing here but a lie.
    clock.set(new Date())
    await rotate(code, DAY, ALL)
    clock.advance(100 * DAY)
    await settleDue()
    assert.equal(await states(code), 'GRACE CURRENT')
    assert.equal(devices.length, 1)
  })

  it('without adoption leaves a former key to the clock, and hands the new one over all the same', async () => {
    const { code, id, devices } = await site(1)
    const { keyId, text } = await rotate(code, DAY)
    const keyring = await plant.workspace.keyring()
    const ask = () =>
      loadSuccessor(gate.database, keyring, { installationId: id, now: clock.now() })
    const successor = await ask()
    assert.equal(successor?.keyId, keyId)
    assert.equal(successor?.apiKey.reveal(), text)
    await see(keyId, devices)
    assert.equal(await states(code), 'GRACE CURRENT')
    assert.equal(await ask(), undefined, 'everybody has it')
    clock.advance(DAY)
    await settleDue()
    assert.equal(await states(code), 'RETIRED CURRENT')
  })

  it('seals nothing where no former key works on', async () => {
    const { code } = await site(1)
    assert.equal(await sealedCount(code), 0, 'a first key')
    await rotate(code, 0)
    assert.equal(await sealedCount(code), 0, 'a leaked key')
  })

  it('erases the sealed copy of a key that is rotated or revoked before all have it', async () => {
    const { code } = await site(2)
    await rotate(code, DAY, ALL)
    await rotate(code, DAY, ALL)
    assert.equal(await sealedCount(code), 1)
    await revokeApiKey(workspace, { installation: code, keyId: undefined, reason: 'leaked' })
    assert.equal(await sealedCount(code), 0)
  })

  it('refuses an adoption that makes no sense', async () => {
    const { code } = await site(1)
    for (const [graceMs, adoption] of [
      [0, { percent: 0, hardDeadlineMs: DAY }],
      [0, { percent: 101, hardDeadlineMs: DAY }],
      [DAY, { percent: 100, hardDeadlineMs: DAY }],
      [0, { percent: 100, hardDeadlineMs: 366 * DAY }],
      [0, { percent: 100, hardDeadlineMs: 0 }],
    ] as const) {
      await assert.rejects(rotate(code, graceMs, adoption), UsageError)
    }
    assert.equal(await states(code), 'CURRENT')
  })

  const statusOf = (installation?: string) =>
    apiKeyStatus(workspace, { installation, nearMs: 3 * DAY, limit: 100 })

  it('shows who has the new key, and who was seen with which one last', async () => {
    const { code, devices } = await site(3)
    const first = (await listApiKeys(workspace, { installation: code })).apiKeys[0]
    await see(first?.keyId ?? '', devices.slice(0, 2))
    clock.advance(HOUR)
    const { keyId, version } = await rotate(code, DAY, ALL)
    await see(keyId, devices.slice(0, 1))
    const [status] = (await statusOf(code)).installations
    assert.deepEqual(status, {
      installation: code,
      current: { keyId, version, createdAt: clock.now().toISOString(), expiresAt: null },
      pendingKeyId: null,
      grace: [
        {
          keyId: first?.keyId,
          version: 1,
          graceUntil: new Date(clock.now().getTime() + 14 * DAY).toISOString(),
          adoptionPercent: 100,
          adoptionFrom: new Date(clock.now().getTime() + DAY).toISOString(),
        },
      ],
      devices: 3,
      adopted: 1,
      stragglers: [
        {
          serial: devices[1]?.serial,
          lastSeenAt: '2026-06-01T12:00:00.000Z',
          lastKeyId: first?.keyId,
        },
        { serial: devices[2]?.serial, lastSeenAt: null, lastKeyId: null },
      ],
      problems: [],
    })
    await assert.rejects(statusOf('site-none'), NotFoundError)
  })

  it('lists without a code what is changing, page by page, and leaves out what is settled', async () => {
    const changing = await site(1)
    const settled = await site(1)
    await rotate(changing.code, DAY, ALL)
    const all: string[] = []
    let cursor: string | undefined
    do {
      const page = await apiKeyStatus(workspace, {
        installation: undefined,
        nearMs: DAY,
        limit: 1,
        cursor,
      })
      all.push(...page.installations.map(({ installation }) => installation))
      cursor = page.nextCursor
    } while (cursor !== undefined)
    assert.ok(all.includes(changing.code))
    assert.ok(!all.includes(settled.code))
    assert.deepEqual(all, [...new Set(all)].sort())
  })

  it('finds something only when a deadline is near or passed', async () => {
    const { code, devices } = await site(1)
    const check = () => checkApiKeys(workspace, { installation: code, nearMs: 3 * DAY })
    assert.deepEqual(await check(), { installations: [] })
    const { keyId } = await rotate(code, DAY, ALL)
    assert.deepEqual(await check(), { installations: [] })
    clock.advance(11 * DAY)
    await assert.rejects(check(), (error) => {
      assert.ok(error instanceof FindingsError)
      const { installations } = error.result as Awaited<ReturnType<typeof check>>
      assert.deepEqual(installations[0]?.problems, ['deadline-near'])
      assert.equal(installations[0]?.stragglers[0]?.serial, devices[0]?.serial)
      return true
    })
    await see(keyId, devices)
    assert.deepEqual(await check(), { installations: [] })
  })

  it('says which devices a revocation leaves in the dark', async () => {
    const { code, devices } = await site(3)
    const { keyId, grace } = await rotate(code, DAY, ALL)
    const former = grace[0]?.keyId ?? ''
    await see(former, devices.slice(0, 2))
    await see(keyId, devices.slice(0, 1))
    const result = await revokeApiKey(workspace, {
      installation: code,
      keyId: former,
      reason: 'compromised',
    })
    assert.equal(result.currentKeyId, keyId)
    assert.deepEqual(
      result.dark.map(({ serial, lastKeyId }) => [serial, lastKeyId]),
      [
        [devices[1]?.serial, former],
        [devices[2]?.serial, null],
      ],
    )
    const all = await revokeApiKey(workspace, {
      installation: code,
      keyId: undefined,
      reason: 'compromised',
    })
    assert.equal(all.currentKeyId, null)
    assert.equal(all.dark.length, 3)
  })
})
