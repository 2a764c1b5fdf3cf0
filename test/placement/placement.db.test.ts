import { deepEqual, equal, ok } from 'node:assert/strict'
import { addInstaller } from '../../src/lib/installer/add.js'
import { assignInstaller, unassignInstaller } from '../../src/lib/installer/assign.js'
import { disableInstaller } from '../../src/lib/installer/disable.js'
import { placeDevice, type PlaceOutcome } from '../../src/lib/placement/place.js'
import { removePlacement, type RemoveOutcome } from '../../src/lib/placement/remove.js'
import { Secret } from '../../src/lib/secret.js'
import type { Workspace } from '../../src/lib/workspace.js'
import { freshDatabase, type FreshDatabase, testWorkspace } from '../support/database.js'
import { type RoleDatabase, roleDatabase } from '../support/roles.js'

const EMAIL = 'installer@example.com'
const SERIAL = 'CDX-000123'
const START = new Date('2024-06-15T10:00:00Z')
const after = (seconds: number): Date => new Date(START.getTime() + seconds * 1000)

/** Every test places and removes with the rights of a gate's login role and no others. */
describe('placements', () => {
  let fresh: FreshDatabase
  let gate: RoleDatabase
  let staff: Workspace
  let workspace: Workspace
  let now: Date
  let installer: string

  beforeEach(async () => {
    fresh = await freshDatabase()
    gate = await roleDatabase(fresh, 'cleverctl_gate')
    now = START
    const clock = { now: () => now }
    staff = testWorkspace(fresh.database, { clock })
    workspace = testWorkspace(gate.database, { clock })
    await fresh.database.query(
      `insert into cleverctl.installation (code, name, timezone, latitude, longitude)
       select code, code, 'Europe/Madrid', 36.84, -2.46
       from unnest(array['solar-0042', 'solar-0043', 'solar-0099']) as code`,
    )
    await fresh.database.query(
      `insert into cleverctl.device (serial, model, batch, manufactured_at, secret_sha256)
       select serial, 'DX1', 'B1', '2024-01-01T00:00:00Z', sha256(serial::bytea)
       from unnest(array['CDX-000123', 'CDX-000124']) as serial`,
    )
    await addInstaller(staff, {
      email: EMAIL,
      name: 'Ines Taller',
      password: new Secret('four quiet roofs sing'),
    })
    await assignInstaller(staff, { email: EMAIL, installations: ['solar-0042', 'solar-0043'] })
    const { rows } = await fresh.database.query<{ id: string }>(
      'select id from cleverctl.installer',
    )
    installer = rows[0]?.id ?? ''
  })
  afterEach(async () => {
    await gate.close()
    await fresh.drop()
  })

  const place = (installation: string, more: object = {}): Promise<PlaceOutcome> =>
    placeDevice(workspace, { installer, serial: SERIAL, installation, ...more })
  const remove = (serial = SERIAL): Promise<RemoveOutcome> =>
    removePlacement(workspace, { installer, serial })
  const rows = async (): Promise<Record<string, unknown>[]> => {
    const { rows } = await fresh.database.query(
      `select installation.code, lower(during) as from, upper(during) as until, position, removed_by as "removedBy"
       from cleverctl.placement
       join cleverctl.installation on installation.id = placement.installation_id
       order by lower(during)`,
    )
    return rows
  }
  const trail = async (): Promise<Record<string, unknown>[]> => {
    const { rows } = await fresh.database.query(
      `select action, subject, details, database_role as role from cleverctl.trail
       where action like 'placement.%' order by seq`,
    )
    return rows
  }

  it('are made, kept with their position and written to the trail by the gate', async () => {
    const position = { latitude: 36.84, longitude: -2.46, accuracyMetres: 4 }
    const outcome = await place('solar-0042', { at: after(-3600), position })
    equal(outcome.outcome, 'created')
    deepEqual(await rows(), [
      { code: 'solar-0042', from: after(-3600), until: null, position, removedBy: null },
    ])
    deepEqual(await trail(), [
      {
        action: 'placement.create',
        subject: SERIAL,
        details: { installation: 'solar-0042', installer: EMAIL, at: after(-3600).toISOString() },
        role: gate.role,
      },
    ])
  })

  it('may have a position in words', async () => {
    await place('solar-0042', { position: 'roof, east "string"' })
    equal((await rows())[0]?.position, 'roof, east "string"')
  })

  it('are not made again by the same report', async () => {
    const first = await place('solar-0042')
    now = after(10)
    deepEqual(await place('solar-0042', { at: after(5), position: 'roof' }), {
      ...first,
      outcome: 'unchanged',
    })
    equal((await trail()).length, 1)
  })

  const refusals: [name: string, change: string | undefined, asked: object, code: string][] = [
    ['an unknown installer', undefined, { installer: '999999' }, 'installer-unknown'],
    [
      'a disabled installer',
      `update cleverctl.installer set disabled_at = now()`,
      {},
      'installer-disabled',
    ],
    [
      'an installation that is not theirs',
      undefined,
      { installation: 'solar-0099' },
      'not-assigned',
    ],
    ['an unknown installation', undefined, { installation: 'solar-9999' }, 'installation-unknown'],
    ['an installation with a NUL', undefined, { installation: 'solar\0' }, 'installation-unknown'],
    [
      'a retired installation',
      `update cleverctl.installation set retired_at = now()`,
      {},
      'installation-retired',
    ],
    ['a device that was never made', undefined, { serial: 'CDX-999999' }, 'device-unknown'],
    ['a serial with a NUL', undefined, { serial: 'CDX\0' }, 'device-unknown'],
    [
      'a revoked device',
      `update cleverctl.device set revoked_at = now(), revoke_reason = 'stolen'`,
      {},
      'device-revoked',
    ],
    ['a position that is none', undefined, { position: 'roof\0' }, 'position-invalid'],
    ['a time beyond the skew', undefined, { at: after(61) }, 'at-in-future'],
    [
      'a time before manufacture',
      undefined,
      { at: new Date('2023-12-31') },
      'at-before-manufacture',
    ],
  ]
  for (const [name, change, asked, code] of refusals) {
    it(`are refused for ${name}`, async () => {
      if (change) await fresh.database.query(change)
      deepEqual(await place('solar-0042', asked), { outcome: 'refused', code })
      deepEqual(await rows(), [])
      deepEqual(await trail(), [])
    })
  }

  it('are a conflict while the device stands elsewhere, and possible once it was removed', async () => {
    await place('solar-0042')
    const conflict = { outcome: 'conflict', code: 'stands-elsewhere', installation: 'solar-0042' }
    deepEqual(await place('solar-0043'), conflict)
    now = after(60)
    equal((await remove()).outcome, 'removed')
    equal((await place('solar-0043')).outcome, 'created')
    deepEqual(
      (await rows()).map(({ code, from, until }) => ({ code, from, until })),
      [
        { code: 'solar-0042', from: START, until: after(60) },
        { code: 'solar-0043', from: after(60), until: null },
      ],
    )
  })

  it('may be made, removed and made again within one millisecond', async () => {
    for (const code of ['solar-0042', 'solar-0043', 'solar-0042']) {
      equal((await place(code)).outcome, 'created')
      equal((await remove()).outcome, 'removed')
    }
    equal((await rows()).length, 3)
  })

  it('do not touch one whose end lies between two milliseconds', async () => {
    await place('solar-0042')
    now = after(1)
    await fresh.database.query(
      `update cleverctl.placement set during = tstzrange(lower(during), $1::timestamptz + interval '1 microsecond')`,
      [now],
    )
    equal((await place('solar-0043')).outcome, 'created')
  })

  it('are not made for a time when the device stood elsewhere', async () => {
    await place('solar-0042')
    now = after(7200)
    await remove()
    const conflict = { outcome: 'conflict', code: 'stood-elsewhere', installation: 'solar-0042' }
    deepEqual(await place('solar-0043', { at: after(3600) }), conflict)
  })

  it('of one device at two installations at once: exactly one wins, twenty times', async () => {
    for (let round = 0; round < 20; round += 1) {
      now = after(round * 10)
      const outcomes = await Promise.all([place('solar-0042'), place('solar-0043')])
      deepEqual(outcomes.map(({ outcome }) => outcome).sort(), ['conflict', 'created'])
      now = after(round * 10 + 5)
      await remove()
    }
    equal((await rows()).length, 20)
  })

  it('of one device at one installation by two apps at once are one', async () => {
    const outcomes = await Promise.all(Array.from({ length: 6 }, () => place('solar-0042')))
    equal(outcomes.filter(({ outcome }) => outcome === 'created').length, 1)
    equal(outcomes.filter(({ outcome }) => outcome === 'unchanged').length, 5)
    equal((await rows()).length, 1)
  })

  it('end when the device is removed, once, and say by whom', async () => {
    await place('solar-0042')
    now = after(3600)
    const removed = await remove()
    ok(removed.outcome === 'removed' && removed.installation === 'solar-0042')
    deepEqual(await remove(), { outcome: 'unchanged' })
    const [row] = await rows()
    deepEqual([row?.until, row?.removedBy], [after(3600), `installer:${EMAIL}`])
    deepEqual((await trail()).map(({ action, details }) => ({ action, details }))[1], {
      action: 'placement.remove',
      details: { installation: 'solar-0042', installer: EMAIL },
    })
  })

  it('end once when two apps remove at once', async () => {
    await place('solar-0042')
    now = after(1)
    const outcomes = await Promise.all([remove(), remove(), remove()])
    deepEqual(outcomes.map(({ outcome }) => outcome).sort(), ['removed', 'unchanged', 'unchanged'])
  })

  it('end for a revoked device too', async () => {
    await place('solar-0042')
    await fresh.database.query(
      `update cleverctl.device set revoked_at = now(), revoke_reason = 'stolen'`,
    )
    equal((await remove()).outcome, 'removed')
  })

  it('are not removed by an installer without assignment, nor by a disabled one', async () => {
    await place('solar-0042')
    await unassignInstaller(staff, { email: EMAIL, installations: ['solar-0042'] })
    deepEqual(await remove(), { outcome: 'refused', code: 'not-assigned' })
    await disableInstaller(staff, { email: EMAIL })
    deepEqual(await remove(), { outcome: 'refused', code: 'installer-disabled' })
    equal((await rows())[0]?.until, null)
  })

  it('that do not exist are removed without complaint', async () => {
    deepEqual(await remove(), { outcome: 'unchanged' })
    deepEqual(await remove('CDX-999999'), { outcome: 'unchanged' })
    deepEqual(await remove('CDX\0'), { outcome: 'unchanged' })
  })
})
