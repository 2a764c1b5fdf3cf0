import assert from 'node:assert/strict'
import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { listDevices, type DeviceFilter } from '../../src/lib/device/list.js'
import { registerDevices, type DevicesToRegister } from '../../src/lib/device/register.js'
import { removeDevice } from '../../src/lib/device/remove.js'
import { revokeDevices } from '../../src/lib/device/revoke.js'
import { rotateDeviceSecret } from '../../src/lib/device/rotate-secret.js'
import { deviceSecretDigest } from '../../src/lib/device/secret.js'
import { getDevice } from '../../src/lib/device/show.js'
import { ConflictError, NotFoundError, PartialError, UsageError } from '../../src/lib/errors.js'
import type { Secret } from '../../src/lib/secret.js'
import type { SecretDelivery } from '../../src/lib/secret-delivery.js'
import { fileDelivery } from '../../src/lib/file-delivery.js'
import type { Workspace } from '../../src/lib/workspace.js'
import { contentOf } from '../support/content.js'
import { freshDatabase, testClock, testWorkspace, type FreshDatabase } from '../support/database.js'

/** Takes a secret and gives it in the result. */
function revealing(): SecretDelivery & { secret(): string } {
  let kept: Secret | undefined
  return {
    resume: async () => false,
    stage: async (secret) => {
      kept = secret
    },
    finish: async () => undefined,
    discard: async () => {
      kept = undefined
    },
    revealed: () => kept?.reveal(),
    secret: () => kept?.reveal() ?? '',
  }
}

describe('devices', () => {
  let fresh: FreshDatabase
  let folder: string
  let workspace: Workspace
  const clock = testClock()

  before(async () => {
    fresh = await freshDatabase()
    folder = await mkdtemp(join(tmpdir(), 'cctl-device-'))
    await fresh.database.query(
      `insert into cleverctl.installation (code, name, timezone, latitude, longitude)
       values ('solar-0042', 'Almeria 42', 'Europe/Madrid', 36.84, -2.46),
         ('solar-0043', 'Almeria 43', 'Europe/Madrid', 36.85, -2.47)`,
    )
    await fresh.database.query(
      `insert into cleverctl.installer (email, name, password_hash)
       values ('installer@example.com', 'Installer', 'none')`,
    )
  })
  after(async () => {
    await rm(folder, { recursive: true })
    await fresh.drop()
  })
  beforeEach(async () => {
    clock.set('2026-06-01T12:00:00Z')
    workspace = testWorkspace(fresh.database, { clock })
    await fresh.database.query(
      'truncate cleverctl.device, cleverctl.device_import, cleverctl.placement cascade',
    )
    await rm(folder, { recursive: true })
    folder = await mkdtemp(join(tmpdir(), 'cctl-device-'))
  })

  const content = () => contentOf((statement) => fresh.database.query(statement))
  const file = (name: string): string => join(folder, name)

  async function register(serials: string[], values: Partial<DevicesToRegister> = {}) {
    return registerDevices(workspace, {
      serials,
      model: 'CleverDx',
      batch: 'single',
      manufacturedAt: undefined,
      secretsOut: file(`secrets-${serials[0] ?? ''}.csv`),
      delivery: undefined,
      ...values,
    })
  }

  async function place(
    serial: string,
    installation: string,
    from: string,
    until?: string,
  ): Promise<void> {
    await fresh.database.query(
      `insert into cleverctl.placement (device_id, installation_id, installer_id, during, removed_by)
       select device.id, installation.id, installer.id, tstzrange($3, $4, '[)'), case when $4 is not null then 'installer:installer@example.com' end
       from cleverctl.device, cleverctl.installation, cleverctl.installer
       where device.serial = $1 and installation.code = $2`,
      [serial, installation, from, until ?? null],
    )
  }

  async function row(serial: string) {
    const { rows } = await fresh.database.query<{
      secret_sha256: Buffer
      previous_secret_sha256: Buffer | null
      previous_secret_until: Date | null
      token_epoch: number
    }>('select * from cleverctl.device where serial = $1', [serial])
    const [found] = rows
    assert.ok(found)
    return found
  }

  async function trail(): Promise<unknown[]> {
    const { rows } = await fresh.database.query(
      'select action, subject, details from cleverctl.trail order by seq desc limit 1',
    )
    return rows
  }

  describe('register', () => {
    it('registers by hand, the secrets in a file', async () => {
      const result = await register(['CDX-2', 'CDX-1', 'CDX-2'], { secretsOut: file('s.csv') })
      assert.deepEqual(result, {
        serials: ['CDX-2', 'CDX-1'],
        registered: 2,
        unchanged: 0,
        secretsFile: file('s.csv'),
      })
      const [header, ...lines] = (await readFile(file('s.csv'), 'utf8')).trimEnd().split('\n')
      assert.equal(header, 'serial,secret')
      for (const line of lines) {
        const [serial = '', secret = ''] = line.split(',')
        assert.deepEqual((await row(serial)).secret_sha256, deviceSecretDigest(secret))
      }
      assert.equal((await stat(file('s.csv'))).mode & 0o777, 0o600)
      assert.deepEqual(await trail(), [
        {
          action: 'device.register',
          subject: '2 devices',
          details: { model: 'CleverDx', batch: 'single', serials: ['CDX-2', 'CDX-1'] },
        },
      ])
    })

    it('changes nothing the second time, although the time of manufacture is now by default', async () => {
      await register(['CDX-1'])
      clock.advance(60_000)
      const before = await content()
      const again = await register(['CDX-1'])
      assert.deepEqual([again.registered, again.unchanged, again.secretsFile], [0, 1, null])
      assert.deepEqual(await content(), before)
    })

    it('gives the secret of a single device to whoever asked for it', async () => {
      const delivery = revealing()
      const result = await register(['CDX-1'], { secretsOut: undefined, delivery })
      assert.deepEqual(deviceSecretDigest(result.secret ?? ''), (await row('CDX-1')).secret_sha256)
      const again = await register(['CDX-1'], { secretsOut: undefined, delivery: revealing() })
      assert.deepEqual([again.registered, again.unchanged, again.secret], [0, 1, undefined])
    })

    it('registers nothing when the secret cannot be delivered', async () => {
      const delivery: SecretDelivery = {
        ...revealing(),
        stage: async () => {
          throw new Error('the terminal is gone')
        },
      }
      const before = await content()
      await assert.rejects(
        register(['CDX-1'], { secretsOut: undefined, delivery }),
        /terminal is gone/,
      )
      assert.deepEqual(await content(), before)
    })

    const refused: [
      name: string,
      serials: string[],
      values: Partial<DevicesToRegister>,
      code: string,
    ][] = [
      ['nowhere for the secret to go', ['CDX-1'], { secretsOut: undefined }, 'missing-secrets-out'],
      [
        'several secrets for a terminal',
        ['CDX-1', 'CDX-2'],
        { secretsOut: undefined, delivery: revealing() },
        'missing-secrets-out',
      ],
      ['a bad serial', ['CDX-1', 'no serial'], {}, 'bad-serial'],
      ['a bad model', ['CDX-1'], { model: '=1' }, 'bad-model'],
      ['a bad batch', ['CDX-1'], { batch: ' ' }, 'bad-batch'],
      ['a bad time', ['CDX-1'], { manufacturedAt: 'yesterday' }, 'bad-date'],
      ['a time to come', ['CDX-1'], { manufacturedAt: '2027-01-01' }, 'future-date'],
    ]
    for (const [name, serials, values, code] of refused) {
      it(`refuses ${name}`, async () => {
        const before = await content()
        await assert.rejects(register(serials, values), (error) => {
          assert.ok(error instanceof UsageError)
          assert.equal(error.code, code)
          return true
        })
        assert.deepEqual(await content(), before)
        assert.deepEqual(await readdir(folder), [])
      })
    }

    it('refuses all when one is registered with other values', async () => {
      await register(['CDX-1'], { batch: 'B-1' })
      const before = await content()
      await assert.rejects(register(['CDX-0', 'CDX-1']), ConflictError)
      await assert.rejects(
        register(['CDX-1'], { secretsOut: undefined, delivery: revealing() }),
        ConflictError,
      )
      assert.deepEqual(await content(), before)
    })
  })

  describe('list', () => {
    beforeEach(async () => {
      await register(['CDX-1', 'CDX-2', 'CDX-3', 'CDX-4', 'CDX-5'], {
        batch: 'B-1',
        manufacturedAt: '2026-01-31',
      })
      await register(['cdx-1'], { model: 'Other', batch: 'B-2' })
      await place('CDX-1', 'solar-0042', '2026-02-01')
      await place('CDX-2', 'solar-0042', '2026-02-01', '2026-03-01')
      await place('CDX-2', 'solar-0043', '2026-03-01')
      await place('CDX-3', 'solar-0042', '2026-02-01', '2026-03-01')
      await place('CDX-4', 'solar-0042', '2026-02-01')
      await revokeDevices(workspace, { serials: ['CDX-4'], reason: 'stolen' })
    })

    const table: [filter: DeviceFilter, want: string][] = [
      [{}, 'CDX-1 CDX-2 CDX-3 CDX-4 CDX-5 cdx-1'],
      [{ state: 'manufactured' }, 'CDX-5 cdx-1'],
      [{ state: 'installed' }, 'CDX-1 CDX-2'],
      [{ state: 'removed' }, 'CDX-3'],
      [{ state: 'revoked' }, 'CDX-4'],
      [{ installation: 'solar-0042' }, 'CDX-1 CDX-4'],
      [{ installation: 'solar-0042', state: 'installed' }, 'CDX-1'],
      [{ batch: 'B-2' }, 'cdx-1'],
      [{ model: 'CleverDx', batch: 'B-2' }, ''],
      [{ serialPrefix: 'CDX-' }, 'CDX-1 CDX-2 CDX-3 CDX-4 CDX-5'],
      [{ serialPrefix: 'C' }, 'CDX-1 CDX-2 CDX-3 CDX-4 CDX-5'],
      [{ serialPrefix: 'CDX_' }, ''],
      [{ batch: "B-1' or true --" }, ''],
    ]
    for (const [filter, want] of table) {
      it(`filters by ${JSON.stringify(filter)}, page by page`, async () => {
        for (const limit of [1, 2, 100]) {
          const serials: string[] = []
          let cursor: string | undefined
          do {
            const page = await listDevices(workspace, { ...filter, limit, cursor })
            assert.ok(page.devices.length <= limit)
            serials.push(...page.devices.map(({ serial }) => serial))
            cursor = page.nextCursor
          } while (cursor !== undefined)
          assert.equal(serials.join(' '), want, `${limit} a page`)
        }
      })
    }

    it('says where a device stands, and nothing of its secret', async () => {
      const { devices } = await listDevices(workspace, { limit: 2 })
      assert.deepEqual(devices, [
        {
          serial: 'CDX-1',
          model: 'CleverDx',
          batch: 'B-1',
          manufacturedAt: '2026-01-31T00:00:00.000Z',
          state: 'installed',
          installation: 'solar-0042',
          installedAt: '2026-02-01T00:00:00.000Z',
          revokedAt: null,
        },
        {
          serial: 'CDX-2',
          model: 'CleverDx',
          batch: 'B-1',
          manufacturedAt: '2026-01-31T00:00:00.000Z',
          state: 'installed',
          installation: 'solar-0043',
          installedAt: '2026-03-01T00:00:00.000Z',
          revokedAt: null,
        },
      ])
    })

    it('tells an installation without devices from one that does not exist', async () => {
      await assert.rejects(
        listDevices(workspace, { installation: 'solar-9999', limit: 1 }),
        NotFoundError,
      )
      const page = await listDevices(workspace, {
        installation: 'solar-0043',
        state: 'removed',
        limit: 1,
      })
      assert.deepEqual(page, { devices: [] })
    })

    it('refuses a cursor or a prefix that is no serial', async () => {
      await assert.rejects(listDevices(workspace, { limit: 1, cursor: "' or 1=1" }), UsageError)
      await assert.rejects(listDevices(workspace, { limit: 1, serialPrefix: '%' }), UsageError)
    })
  })

  describe('show', () => {
    it('tells a device and where it stood, never a digest', async () => {
      await register(['CDX-000123'], { manufacturedAt: '2026-01-31' })
      await place('CDX-000123', 'solar-0042', '2026-02-01', '2026-03-01')
      await place('CDX-000123', 'solar-0043', '2026-03-01')
      const shown = await getDevice(workspace, { serial: 'CDX-000123' })
      const { registeredAt, ...rest } = shown
      assert.ok(Date.parse(registeredAt) > 0)
      assert.deepEqual(rest, {
        serial: 'CDX-000123',
        model: 'CleverDx',
        batch: 'single',
        manufacturedAt: '2026-01-31T00:00:00.000Z',
        state: 'installed',
        installation: 'solar-0043',
        formerSecretUntil: null,
        revokedAt: null,
        revokeReason: null,
        lastReadingAt: null,
        placements: [
          {
            installation: 'solar-0043',
            installer: 'installer@example.com',
            installedAt: '2026-03-01T00:00:00.000Z',
            removedAt: null,
            removedBy: null,
            position: null,
          },
          {
            installation: 'solar-0042',
            installer: 'installer@example.com',
            installedAt: '2026-02-01T00:00:00.000Z',
            removedAt: '2026-03-01T00:00:00.000Z',
            removedBy: 'installer:installer@example.com',
            position: null,
          },
        ],
      })
      const { secret_sha256: digest } = await row('CDX-000123')
      assert.ok(!JSON.stringify(shown).includes(digest.toString('hex')))
    })

    it('finds the latest reading', async () => {
      await register(['CDX-1'])
      const at = new Date()
      await fresh.database.query('select cleverctl.reading_ensure_partition($1)', [at])
      await fresh.database.query(
        `insert into cleverctl.reading (device_id, installation_id, at, "values")
         select device.id, installation.id, $1, '{}' from cleverctl.device, cleverctl.installation
         where device.serial = 'CDX-1' and installation.code = 'solar-0042'`,
        [at],
      )
      const { lastReadingAt } = await getDevice(workspace, { serial: 'CDX-1' })
      assert.equal(lastReadingAt, at.toISOString())
      await fresh.database.query('delete from cleverctl.reading')
    })

    for (const typed of ['cdx-000123', 'CDX-123', 'CDX-0123', 'CDX-00000123']) {
      it(`suggests the device that was meant by ${typed}`, async () => {
        await register(['CDX-000123'])
        await assert.rejects(getDevice(workspace, { serial: typed }), (error) => {
          assert.ok(error instanceof NotFoundError)
          assert.deepEqual(error.suggestions[0], 'did you mean CDX-000123?')
          return true
        })
      })
    }

    it('suggests the list when nothing is near', async () => {
      await assert.rejects(getDevice(workspace, { serial: 'ABC-1' }), (error) => {
        assert.ok(error instanceof NotFoundError)
        assert.deepEqual(error.suggestions, ['cleverctl device list'])
        return true
      })
    })
  })

  describe('revoke', () => {
    it('revokes for good and ends the tokens', async () => {
      await register(['CDX-1', 'CDX-2'])
      const epoch = (await row('CDX-1')).token_epoch
      const result = await revokeDevices(workspace, {
        serials: ['CDX-2', 'CDX-1', 'CDX-2'],
        reason: ' stolen ',
      })
      assert.deepEqual(result, { revoked: ['CDX-1', 'CDX-2'], unchanged: [], notFound: [] })
      assert.equal((await row('CDX-1')).token_epoch, epoch + 1)
      assert.deepEqual(await trail(), [
        { action: 'device.revoke', subject: 'CDX-2', details: { reason: 'stolen' } },
      ])
      const { state, revokeReason, revokedAt } = await getDevice(workspace, { serial: 'CDX-1' })
      assert.deepEqual(
        [state, revokeReason, revokedAt],
        ['revoked', 'stolen', '2026-06-01T12:00:00.000Z'],
      )
    })

    it('changes nothing the second time', async () => {
      await register(['CDX-1'])
      await revokeDevices(workspace, { serials: ['CDX-1'], reason: 'stolen' })
      const before = await content()
      const again = await revokeDevices(workspace, { serials: ['CDX-1'], reason: 'lost' })
      assert.deepEqual(again, { revoked: [], unchanged: ['CDX-1'], notFound: [] })
      assert.deepEqual(await content(), before)
    })

    it('revokes the others when one is unknown', async () => {
      await register(['CDX-1'])
      await assert.rejects(
        revokeDevices(workspace, { serials: ['CDX-1', 'CDX-9'], reason: 'stolen' }),
        (error) => {
          assert.ok(error instanceof PartialError)
          assert.deepEqual(error.result, { revoked: ['CDX-1'], unchanged: [], notFound: ['CDX-9'] })
          return true
        },
      )
      await assert.rejects(
        revokeDevices(workspace, { serials: ['CDX-9'], reason: 'stolen' }),
        NotFoundError,
      )
    })

    it('wants a reason that fits a line', async () => {
      await register(['CDX-1'])
      for (const reason of ['', ' ', 'a\nb', 'x'.repeat(201)]) {
        await assert.rejects(revokeDevices(workspace, { serials: ['CDX-1'], reason }), UsageError)
      }
    })
  })

  describe('remove', () => {
    it('ends the placement in the name of the staff member, once', async () => {
      await register(['CDX-1'])
      await place('CDX-1', 'solar-0042', '2026-02-01')
      const removed = await removeDevice(workspace, { serial: 'CDX-1' })
      assert.deepEqual(removed, { serial: 'CDX-1', outcome: 'removed', installation: 'solar-0042' })
      const { placements, state } = await getDevice(workspace, { serial: 'CDX-1' })
      assert.equal(state, 'removed')
      assert.equal(placements[0]?.removedAt, '2026-06-01T12:00:00.000Z')
      assert.equal(placements[0]?.removedBy, 'staff:tester')
      assert.deepEqual(await trail(), [
        { action: 'device.remove', subject: 'CDX-1', details: { installation: 'solar-0042' } },
      ])
      const before = await content()
      assert.equal((await removeDevice(workspace, { serial: 'CDX-1' })).outcome, 'unchanged')
      assert.deepEqual(await content(), before)
    })

    it('ends a placement that begins this moment', async () => {
      await register(['CDX-1'])
      await place('CDX-1', 'solar-0042', '2026-06-01T12:00:00Z')
      assert.equal((await removeDevice(workspace, { serial: 'CDX-1' })).outcome, 'removed')
    })

    it('does not know an unknown device', async () => {
      await assert.rejects(removeDevice(workspace, { serial: 'CDX-9' }), NotFoundError)
    })
  })

  describe('rotate-secret', () => {
    const HOUR = 3_600_000

    it('keeps the former secret for the grace', async () => {
      await register(['CDX-1'])
      const before = await row('CDX-1')
      const delivery = revealing()
      const result = await rotateDeviceSecret(workspace, {
        serial: 'CDX-1',
        graceMs: 24 * HOUR,
        delivery,
      })
      const after = await row('CDX-1')
      assert.deepEqual(deviceSecretDigest(result.secret ?? ''), after.secret_sha256)
      assert.deepEqual(after.previous_secret_sha256, before.secret_sha256)
      assert.deepEqual(after.previous_secret_until, new Date('2026-06-02T12:00:00Z'))
      assert.equal(after.token_epoch, before.token_epoch)
      assert.equal(result.formerSecretUntil, '2026-06-02T12:00:00.000Z')
      assert.deepEqual(await trail(), [
        {
          action: 'device.rotate-secret',
          subject: 'CDX-1',
          details: { formerSecretUntil: '2026-06-02T12:00:00.000Z' },
        },
      ])
      const { formerSecretUntil } = await getDevice(workspace, { serial: 'CDX-1' })
      assert.equal(formerSecretUntil, '2026-06-02T12:00:00.000Z')
    })

    it('ends the former secret and its tokens at once without grace', async () => {
      await register(['CDX-1'])
      const { token_epoch: epoch } = await row('CDX-1')
      await rotateDeviceSecret(workspace, {
        serial: 'CDX-1',
        graceMs: 24 * HOUR,
        delivery: revealing(),
      })
      const delivery = revealing()
      await rotateDeviceSecret(workspace, { serial: 'CDX-1', graceMs: 0, delivery })
      const after = await row('CDX-1')
      assert.deepEqual(after.secret_sha256, deviceSecretDigest(delivery.secret()))
      assert.equal(after.previous_secret_sha256, null)
      assert.equal(after.token_epoch, epoch + 1)
    })

    it('does not end a running grace by a second rotation', async () => {
      await register(['CDX-1'])
      const rotate = () =>
        rotateDeviceSecret(workspace, { serial: 'CDX-1', graceMs: HOUR, delivery: revealing() })
      await rotate()
      const before = await content()
      await assert.rejects(rotate(), ConflictError)
      assert.deepEqual(await content(), before)
      clock.advance(HOUR)
      assert.equal((await rotate()).outcome, 'rotated')
    })

    it('settles an interrupted run instead of rotating again', async () => {
      await register(['CDX-1'])
      const path = file('secret.txt')
      const killed: SecretDelivery = { ...fileDelivery(path), finish: async () => undefined }
      await rotateDeviceSecret(workspace, { serial: 'CDX-1', graceMs: HOUR, delivery: killed })
      const before = await row('CDX-1')
      assert.deepEqual(
        (await readdir(folder)).filter((name) => name.startsWith('secret.txt')).length,
        2,
      )
      const result = await rotateDeviceSecret(workspace, {
        serial: 'CDX-1',
        graceMs: HOUR,
        delivery: fileDelivery(path),
      })
      assert.deepEqual(result, {
        serial: 'CDX-1',
        outcome: 'settled',
        formerSecretUntil: '2026-06-01T13:00:00.000Z',
      })
      assert.deepEqual(await row('CDX-1'), before)
      assert.deepEqual(
        deviceSecretDigest((await readFile(path, 'utf8')).trimEnd()),
        before.secret_sha256,
      )
    })

    it('rotates nothing for a grace that is too long, and no device that is unknown or revoked', async () => {
      await register(['CDX-1'])
      const before = await content()
      const rotate = (graceMs: number, delivery: SecretDelivery, serial = 'CDX-1') =>
        rotateDeviceSecret(workspace, { serial, graceMs, delivery })
      await assert.rejects(rotate(HOUR * 24 * 32, revealing()), UsageError)
      await assert.rejects(rotate(HOUR, revealing(), 'CDX-9'), NotFoundError)
      assert.deepEqual(await content(), before)
      await revokeDevices(workspace, { serials: ['CDX-1'], reason: 'stolen' })
      await assert.rejects(rotate(HOUR, revealing()), ConflictError)
    })
  })
})
