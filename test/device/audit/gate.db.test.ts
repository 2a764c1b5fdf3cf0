import assert from 'node:assert/strict'
import { systemClock } from '../../../src/lib/clock.js'
import { auditDevices } from '../../../src/lib/device/audit/audit.js'
import type { AuditKind, DeviceAudit } from '../../../src/lib/device/audit/types.js'
import { FindingsError } from '../../../src/lib/errors.js'
import type { Workspace } from '../../../src/lib/workspace.js'
import { freshDatabase, testClock, type FreshDatabase } from '../../support/database.js'
import { headersOf, type Answer } from '../../support/gate-client.js'
import { preparePlant, type TestDevice, type TestPlant } from '../../support/plant.js'
import { startTestGate, type TestGate } from '../../support/gate.js'
import { roleDatabase, type RoleDatabase } from '../../support/roles.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const NO_AGES = {
  sinceMs: undefined,
  shelfAgeMs: undefined,
  silentForMs: undefined,
  keyAgeMs: undefined,
  secretAgeMs: undefined,
  skewMs: undefined,
}

describe('the audit of devices, on what real gates saw', () => {
  let fresh: FreshDatabase
  let gateRole: RoleDatabase
  let auditor: RoleDatabase
  let plant: TestPlant
  let other: { id: string; code: string; apiKey: string }
  let serials = 0

  before(async () => {
    fresh = await freshDatabase()
    gateRole = await roleDatabase(fresh, 'cleverctl_gate')
    auditor = await roleDatabase(fresh, 'cleverctl_auditor')
    plant = await preparePlant(fresh.database)
    other = await plant.addInstallation('solar-0043')
  })

  after(async () => {
    await gateRole.close()
    await auditor.close()
    await fresh.drop()
  })

  const addDevice = (at?: { id: string }) => {
    serials += 1
    return plant.addDevice(`CDX-${String(serials).padStart(6, '0')}`, at)
  }

  /** Starts a gate with a gate's rights, at another time where one is given; it has written all down at the end. */
  async function withGate(
    work: (gate: TestGate, clock: { now(): Date }) => Promise<void>,
    clock: { now(): Date } = systemClock,
  ): Promise<void> {
    const workspace: Workspace = { ...plant.workspace, database: gateRole.database, clock }
    const gate = await startTestGate(workspace, { trustProxy: ['127.0.0.1'] })
    try {
      await work(gate, clock)
    } finally {
      await gate.stop()
    }
  }

  /** What the audit of an auditor says, who may read and nothing else. */
  async function audit(...kinds: AuditKind[]): Promise<DeviceAudit> {
    const workspace = { ...plant.workspace, database: auditor.database }
    try {
      return await auditDevices(workspace, {
        kinds: kinds.length === 0 ? undefined : kinds,
        installation: undefined,
        batch: undefined,
        ages: NO_AGES,
        limit: 100,
        sarif: undefined,
      })
    } catch (error) {
      if (error instanceof FindingsError) return error.result as DeviceAudit
      throw error
    }
  }

  const found = async (kind: AuditKind) =>
    (await audit(kind)).findings.map(({ serial, installation }) => `${serial} ${installation}`)

  async function askToken(
    gate: TestGate,
    device: { serial: string; secret: string },
    apiKey = plant.apiKey,
    address?: string,
  ): Promise<Answer> {
    const from = address === undefined ? {} : { 'x-forwarded-for': address }
    return gate.client.ask({
      path: '/v1/token',
      headers: { ...headersOf({ apiKey }), ...from },
      body: { serial: device.serial, secret: device.secret },
    })
  }

  async function getToken(
    gate: TestGate,
    device: TestDevice,
    apiKey = plant.apiKey,
    address?: string,
  ): Promise<string> {
    const { status, body } = await askToken(gate, device, apiKey, address)
    assert.equal(status, 200)
    return String(body['token'])
  }

  const reading = (at: number) => ({ at: new Date(at).toISOString(), values: { powerW: 1 } })

  /** Posts one reading, as the device itself would. */
  async function post(
    gate: TestGate,
    token: string,
    given: { at: number; apiKey?: string; address?: string; status?: number },
  ): Promise<void> {
    const { apiKey = plant.apiKey, address = '198.51.100.1', status = 202, at } = given
    const headers = { ...headersOf({ apiKey, token }), 'x-forwarded-for': address }
    const body = { readings: [reading(at)] }
    const answer = await gate.client.ask({ path: '/v1/data', headers, body })
    assert.equal(answer.status, status, answer.text)
  }

  const close = (device: TestDevice) =>
    fresh.database.query(
      `update cleverctl.placement set during = tstzrange(lower(during), now()), removed_by = 'staff:x'
       where device_id = $1 and upper_inf(during)`,
      [device.id],
    )

  const place = (device: TestDevice, at: { id: string }) =>
    fresh.database.query(
      `insert into cleverctl.placement (device_id, installation_id, installer_id, during)
       values ($1, $2, $3, tstzrange(now(), null))`,
      [device.id, at.id, plant.installerId],
    )

  it('has nothing to say about a fleet that does what it should', async () => {
    const devices = [await addDevice(plant.installation), await addDevice(plant.installation)]
    await withGate(async (gate) => {
      for (const device of devices) {
        const token = await getToken(gate, device)
        await post(gate, token, { at: Date.now() - MINUTE })
        await post(gate, token, { at: Date.now() })
      }
    })
    const { findings, notChecked, counts } = await audit()
    assert.deepEqual(findings, [])
    assert.deepEqual(notChecked, [])
    assert.equal(Object.keys(counts).length, 10)
  })

  it('finds ghosts, but none that was registered since, and none of the day before yesterday', async () => {
    const before = testClock(new Date(Date.now() - 2 * DAY))
    await withGate(async (gate) => {
      await askToken(gate, { serial: 'CDX-990001', secret: 'x' })
    }, before)
    await withGate(async (gate) => {
      for (const serial of ['CDX-990002', 'CDX-990002', 'CDX-990003', 'no serial at all'])
        assert.equal((await askToken(gate, { serial, secret: 'x' })).status, 403)
    })
    await plant.addDevice('CDX-990003', plant.installation)
    assert.deepEqual((await found('ghost')).sort(), ['CDX-990002 solar-0042', 'null solar-0042'])
    const { findings } = await audit('ghost')
    const ghost = findings.find(({ serial }) => serial === 'CDX-990002')
    assert.equal(ghost?.evidence['refusals'], 2)
    assert.equal(ghost?.evidence['lastAddress'], '127.0.0.1')
    assert.equal(ghost?.next, 'cleverctl api-key rotate solar-0042')
    assert.equal(ghost?.severity, 'error')
  })

  it('finds squatters, but none that was installed since where its key belongs', async () => {
    const [carried, moved, asking] = [
      await addDevice(other),
      await addDevice(other),
      await addDevice(other),
    ]
    await withGate(async (gate) => {
      for (const device of [carried, moved]) {
        const token = await getToken(gate, device, other.apiKey)
        await post(gate, token, { at: Date.now(), status: 401 })
      }
      assert.equal((await askToken(gate, asking)).status, 403)
    })
    await close(moved)
    await place(moved, plant.installation)
    assert.deepEqual((await found('squatter')).sort(), [
      `${carried.serial} solar-0042`,
      `${asking.serial} solar-0042`,
    ])
    const { findings } = await audit('squatter')
    assert.equal(findings[0]?.evidence['standsAt'], 'solar-0043')
  })

  it('finds zombies, but none that fell silent, and none that stands again', async () => {
    const [removed, revoked, silent, back] = [
      await addDevice(plant.installation),
      await addDevice(plant.installation),
      await addDevice(plant.installation),
      await addDevice(plant.installation),
    ]
    await withGate(async (gate) => {
      const tokens = new Map<TestDevice, string>()
      for (const device of [removed, revoked, silent, back])
        tokens.set(device, await getToken(gate, device))
      for (const device of [removed, silent, back]) await close(device)
      await fresh.database.query(
        `update cleverctl.device set revoked_at = now(), revoke_reason = 'stolen', token_epoch = 1 where id = $1`,
        [revoked.id],
      )
      // Nothing of what the gate remembers outlives a revocation by more than a second.
      for (const device of [removed, revoked, back]) {
        const token = tokens.get(device) ?? ''
        const last = Date.now() + 5_000
        for (;;) {
          const { status } = await gate.client.authorize({ apiKey: plant.apiKey, token })
          if (status === 403) break
          assert.ok(Date.now() < last, 'the gate goes on letting it in')
        }
      }
    })
    await place(back, plant.installation)
    assert.deepEqual((await found('zombie')).sort(), [
      `${removed.serial} solar-0042`,
      `${revoked.serial} solar-0042`,
    ])
    const { findings } = await audit('zombie')
    const of = (device: TestDevice) => findings.find(({ serial }) => serial === device.serial)
    assert.equal(of(removed)?.evidence['state'], 'removed')
    assert.equal(of(revoked)?.evidence['state'], 'revoked')
    assert.match(of(removed)?.next ?? '', /^cleverctl device revoke CDX-\d+ --reason /)
    assert.equal(of(revoked)?.next, 'cleverctl api-key rotate solar-0042')
  })

  it('finds early data, but none within an hour, and none of an earlier placement there', async () => {
    const [early, nearly, earlier] = [
      await addDevice(plant.installation),
      await addDevice(plant.installation),
      await addDevice(plant.installation),
    ]
    await fresh.database.query(
      `insert into cleverctl.placement (device_id, installation_id, installer_id, during, removed_by)
       values ($1, $2, $3, tstzrange(now() - interval '9 days', now() - interval '8 days'), 'staff:x')`,
      [earlier.id, plant.installation.id, plant.installerId],
    )
    await withGate(async (gate) => {
      for (const [device, at] of [
        [early, Date.now() - DAY - 61 * MINUTE],
        [nearly, Date.now() - DAY - 59 * MINUTE],
        [earlier, Date.now() - 3 * DAY],
      ] as const)
        await post(gate, await getToken(gate, device), { at })
    })
    assert.deepEqual(await found('early'), [`${early.serial} solar-0042`])
  })

  describe('clocks', () => {
    /** Yesterday at noon (UTC). */
    const noon = () => new Date(new Date(Date.now() - DAY).toISOString().slice(0, 10) + 'T12:00Z')

    /** So many arrivals yesterday, each with a reading that is so old. */
    async function yesterday(device: TestDevice, ages: readonly number[]): Promise<void> {
      const clock = testClock(noon())
      await withGate(async (gate) => {
        const token = await getToken(gate, device)
        for (const age of ages) {
          await post(gate, token, { at: clock.now().getTime() - age })
          clock.advance(MINUTE)
        }
      }, clock)
    }

    const late = (count: number) => Array.from({ length: count }, () => 20 * MINUTE)

    it('that are ahead are found by one reading, those that are a little ahead are not', async () => {
      const [ahead, little] = [
        await addDevice(plant.installation),
        await addDevice(plant.installation),
      ]
      await withGate(async (gate) => {
        await post(gate, await getToken(gate, ahead), { at: Date.now() + 10 * MINUTE })
        await post(gate, await getToken(gate, little), { at: Date.now() + 2 * MINUTE })
      })
      assert.deepEqual(await found('clock-liar'), [`${ahead.serial} solar-0042`])
      const { findings } = await audit('clock-liar')
      const evidence = findings[0]?.evidence
      assert.equal(evidence?.['direction'], 'ahead')
      assert.equal(Math.round(Number(evidence?.['skewMs']) / MINUTE), 10)
      assert.equal(evidence?.['arrivals'], 1)
      await fresh.database.query('delete from cleverctl.device_sighting where device_id = $1', [
        ahead.id,
      ])
    })

    it('that are behind are found by a day without one young reading', async () => {
      const [behind, few, once, mended] = [
        await addDevice(plant.installation),
        await addDevice(plant.installation),
        await addDevice(plant.installation),
        await addDevice(plant.installation),
      ]
      await yesterday(behind, late(12))
      await yesterday(few, late(11))
      await yesterday(once, [...late(11), MINUTE])
      await yesterday(mended, late(12))
      await withGate(async (gate) => {
        await post(gate, await getToken(gate, behind), { at: Date.now() - 20 * MINUTE })
        await post(gate, await getToken(gate, mended), { at: Date.now() })
      })
      assert.deepEqual(await found('clock-liar'), [`${behind.serial} solar-0042`])
      const { findings } = await audit('clock-liar')
      const [finding] = findings
      assert.deepEqual(finding?.evidence, {
        direction: 'behind',
        skewMs: 20 * MINUTE,
        day: noon().toISOString().slice(0, 10),
        arrivals: 12,
      })
    })
  })

  describe('twins', () => {
    /** One gate after the other hears the device, two minutes apart; a gate of many would be the same. */
    function hearing(device: TestDevice): (...addresses: string[]) => Promise<void> {
      const clock = testClock(new Date(Date.now() - HOUR))
      return async (...addresses) => {
        for (const address of addresses) {
          await withGate(async (gate) => {
            const token = await getToken(gate, device, plant.apiKey, address)
            await post(gate, token, { at: clock.now().getTime(), address })
          }, clock)
          clock.advance(2 * MINUTE)
        }
      }
    }

    it('are found when two addresses take turns through any number of gates', async () => {
      const device = await addDevice(plant.installation)
      const [here, there] = ['198.51.100.7', '203.0.113.9']
      const hear = hearing(device)
      await hear(here, there, here, there, here, there, here)
      assert.deepEqual(await found('twin'), [])
      await hear(there)
      assert.deepEqual(await found('twin'), [`${device.serial} solar-0042`])
      const { findings } = await audit('twin')
      const [finding] = findings
      const used = finding?.evidence['addresses'] as { address: string }[]
      assert.deepEqual(used.map(({ address }) => address).sort(), [here, there])
      assert.match(finding?.next ?? '', /rotate-secret .* --grace 0/)
    })

    it('are not suspected where a device moves on from address to address', async () => {
      const device = await addDevice(plant.installation)
      const addresses = Array.from({ length: 8 }, (_, index) => `198.51.100.${20 + index}`)
      await hearing(device)(...addresses)
      const twins = await found('twin')
      assert.ok(!twins.includes(`${device.serial} solar-0042`))
      const { rows } = await fresh.database.query(
        'select from cleverctl.device_address where device_id = $1',
        [device.id],
      )
      assert.equal(rows.length, 8)
    })
  })
})
