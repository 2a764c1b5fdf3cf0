import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { importDevices } from '../../src/lib/device/import.js'
import { listDevices } from '../../src/lib/device/list.js'
import { registerDevices } from '../../src/lib/device/register.js'
import { removeDevice } from '../../src/lib/device/remove.js'
import { revokeDevices } from '../../src/lib/device/revoke.js'
import { rotateDeviceSecret } from '../../src/lib/device/rotate-secret.js'
import { getDevice } from '../../src/lib/device/show.js'
import { RefusedError } from '../../src/lib/errors.js'
import { createInstallation } from '../../src/lib/installation/create.js'
import { listInstallations } from '../../src/lib/installation/list.js'
import { retireInstallation } from '../../src/lib/installation/retire.js'
import { getInstallation } from '../../src/lib/installation/show.js'
import { fileDelivery } from '../../src/lib/file-delivery.js'
import type { Workspace } from '../../src/lib/workspace.js'
import { freshDatabase, testWorkspace, type FreshDatabase } from '../support/database.js'
import { roleDatabase, type RoleDatabase } from '../support/roles.js'

describe('the registry under group roles', () => {
  let fresh: FreshDatabase
  let folder: string
  const roles: RoleDatabase[] = []
  let staff: Workspace
  let auditor: Workspace
  let gate: Workspace

  before(async () => {
    fresh = await freshDatabase()
    folder = await mkdtemp(join(tmpdir(), 'cctl-roles-'))
    const open = async (group: Parameters<typeof roleDatabase>[1]): Promise<Workspace> => {
      const role = await roleDatabase(fresh, group)
      roles.push(role)
      return testWorkspace(role.database)
    }
    staff = await open('cleverctl_staff')
    auditor = await open('cleverctl_auditor')
    gate = await open('cleverctl_gate')
  })
  after(async () => {
    await rm(folder, { recursive: true })
    for (const role of roles) await role.close()
    await fresh.drop()
  })

  const file = (name: string): string => join(folder, name)
  const serial = 'CDX-000123'
  const code = 'solar-0042'
  const plant = { code, name: 'Almeria 42', timezone: 'Europe/Madrid', latitude: 1, longitude: 1 }
  const single = {
    model: 'CleverDx',
    batch: 'single',
    manufacturedAt: undefined,
    delivery: undefined,
  }

  it('lets staff do everything, auditors look and a gate do nothing', async () => {
    await createInstallation(staff, plant)
    await writeFile(
      file('factory.csv'),
      `serial,model,batch,manufacturedAt\n${serial},A,B,2026-01-31\n`,
    )
    const input = { input: file('factory.csv'), secretsOut: file('secrets.csv'), isStrict: false }
    assert.equal((await importDevices(staff, { ...input, isDryRun: true })).imported, 1)
    for (const other of [auditor, gate])
      await assert.rejects(importDevices(other, { ...input, isDryRun: false }), RefusedError)
    assert.equal((await importDevices(staff, { ...input, isDryRun: false })).imported, 1)
    const more = { ...single, serials: ['CDX-2'], secretsOut: file('more.csv') }
    assert.equal((await registerDevices(staff, more)).registered, 1)
    for (const reader of [staff, auditor]) {
      assert.equal((await listDevices(reader, { limit: 9 })).devices.length, 2)
      assert.equal((await getDevice(reader, { serial })).serial, serial)
      assert.equal((await listInstallations(reader, { limit: 9 })).installations.length, 1)
      assert.equal((await getInstallation(reader, { code })).devices, 0)
    }
    const rotation = { serial, graceMs: 1000, delivery: fileDelivery(file('secret.txt')) }
    for (const other of [auditor, gate]) {
      await assert.rejects(rotateDeviceSecret(other, rotation), RefusedError)
      await assert.rejects(revokeDevices(other, { serials: [serial], reason: 'x' }), RefusedError)
      await assert.rejects(removeDevice(other, { serial }), RefusedError)
      await assert.rejects(retireInstallation(other, { code, withDevices: true }), RefusedError)
    }
    assert.equal((await rotateDeviceSecret(staff, rotation)).outcome, 'rotated')
    assert.equal((await removeDevice(staff, { serial })).outcome, 'unchanged')
    assert.deepEqual((await revokeDevices(staff, { serials: [serial], reason: 'x' })).revoked, [
      serial,
    ])
    assert.equal((await retireInstallation(staff, { code, withDevices: true })).outcome, 'retired')
  })
})
