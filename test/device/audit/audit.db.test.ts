import assert from 'node:assert/strict'
import { auditDevices, DEFAULT_AGES } from '../../../src/lib/device/audit/audit.js'
import type { AuditAges, AuditKind, DeviceAudit } from '../../../src/lib/device/audit/types.js'
import { rotateDeviceSecret } from '../../../src/lib/device/rotate-secret.js'
import {
  FindingsError,
  IncompleteError,
  NotFoundError,
  UsageError,
} from '../../../src/lib/errors.js'
import type { Workspace } from '../../../src/lib/workspace.js'
import {
  freshDatabase,
  silentLog,
  testClock,
  testWorkspace,
  type FreshDatabase,
} from '../../support/database.js'
import { roleDatabase, type RoleDatabase } from '../../support/roles.js'
import { keptSecret } from '../../support/secret-delivery.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const NOW = new Date('2026-06-01T12:00:00Z')

describe('the audit of devices, on the lists', () => {
  let fresh: FreshDatabase
  let auditor: RoleDatabase
  let workspace: Workspace
  let warnings: string[]

  beforeEach(async () => {
    fresh = await freshDatabase()
    auditor = await roleDatabase(fresh, 'cleverctl_auditor')
    warnings = []
    workspace = testWorkspace(auditor.database, {
      clock: testClock(NOW),
      log: { ...silentLog, warn: (message) => void warnings.push(message) },
    })
    await fresh.database.query(
      `insert into cleverctl.installation (code, name, timezone, latitude, longitude, retired_at)
       select code, code, 'Europe/Madrid', 36.84, -2.46, case when code = 'solar-0099' then now() end
       from unnest(array['solar-0042', 'solar-0043', 'solar-0099']) as code;
       insert into cleverctl.installer (email, name, password_hash)
       values ('installer@example.com', 'Installer', 'none')`,
    )
  })

  afterEach(async () => {
    await auditor.close()
    await fresh.drop()
  })

  interface Planted {
    /** How long ago, in milliseconds. */
    made?: number
    registered?: number
    installed?: number
    seen?: number
    removed?: number
    revoked?: boolean
    at?: string
    batch?: string
  }

  const ago = (milliseconds: number | undefined) =>
    milliseconds === undefined ? null : new Date(NOW.getTime() - milliseconds)

  /** Puts a device into the lists as its life has left it. */
  async function plant(serial: string, life: Planted): Promise<void> {
    const { at = 'solar-0042', batch = 'B-1', made = 20 * DAY, registered = made } = life
    const { rows } = await fresh.database.query<{ id: string }>(
      `insert into cleverctl.device
         (serial, model, batch, manufactured_at, registered_at, secret_sha256, revoked_at, revoke_reason)
       values ($1, 'CleverDx', $2, $3, $4, sha256($1::text::bytea), $5, $6) returning id`,
      [
        serial,
        batch,
        ago(made),
        ago(registered),
        life.revoked ? NOW : null,
        life.revoked ? 'lost' : null,
      ],
    )
    const id = rows[0]?.id
    if (life.installed !== undefined) {
      await fresh.database.query(
        `insert into cleverctl.placement (device_id, installation_id, installer_id, during)
         select $1, installation.id, installer.id, tstzrange($2, $3)
         from cleverctl.installation, cleverctl.installer where code = $4`,
        [id, ago(life.installed), ago(life.removed), at],
      )
    }
    if (life.seen !== undefined) {
      await fresh.database.query(
        `insert into cleverctl.device_sighting (device_id, api_key_id, first_at, last_at, arrivals)
         values ($1, 1, $2, $2, 1)`,
        [id, ago(life.seen)],
      )
    }
  }

  const addKey = (installation: string, keyId: string, age: number, state = 'CURRENT') =>
    fresh.database.query(
      `insert into cleverctl.api_key (key_id, installation_id, version, state, digest, created_at, retired_at)
       select $2, id, 1, $4, sha256($2::text::bytea), $3, case when $4::text = 'RETIRED' then now() end
       from cleverctl.installation where code = $1`,
      [installation, keyId, ago(age), state],
    )

  async function audit(
    asked: {
      kinds?: readonly AuditKind[]
      installation?: string
      batch?: string
      ages?: Partial<AuditAges>
      limit?: number
    } = {},
  ): Promise<DeviceAudit> {
    const { kinds, installation, batch, ages, limit = 100 } = asked
    const question = { kinds, installation, batch, limit, sarif: undefined }
    try {
      return await auditDevices(workspace, { ...question, ages: { ...DEFAULT_AGES, ...ages } })
    } catch (error) {
      if (error instanceof FindingsError) return error.result as DeviceAudit
      throw error
    }
  }

  const found = async (asked: Parameters<typeof audit>[0] = {}) =>
    (await audit(asked)).findings.map(
      ({ kind, serial, installation }) => `${kind} ${serial} ${installation}`,
    )

  it('has nothing to say about a healthy fleet and an empty registry', async () => {
    assert.deepEqual(await found(), [])
    await addKey('solar-0042', 'Key00001', 364 * DAY)
    await plant('CDX-000001', { installed: 10 * DAY, seen: MINUTE })
    await plant('CDX-000002', {})
    const { findings, counts, notChecked, checkedAt } = await audit()
    assert.deepEqual(
      { findings, notChecked, checkedAt },
      {
        findings: [],
        notChecked: [],
        checkedAt: NOW.toISOString(),
      },
    )
    assert.deepEqual([...new Set(Object.values(counts))], [0])
  })

  it('finds shelf-warmers by their age, and none that stood anywhere or was revoked', async () => {
    await plant('CDX-000001', { made: 181 * DAY })
    await plant('CDX-000002', { made: 179 * DAY })
    await plant('CDX-000003', { made: 900 * DAY, installed: 800 * DAY, removed: 700 * DAY })
    await plant('CDX-000004', { made: 900 * DAY, revoked: true })
    assert.deepEqual(await found(), ['shelf-warmer CDX-000001 null'])
    assert.deepEqual(await found({ ages: { shelfAgeMs: 178 * DAY } }), [
      'shelf-warmer CDX-000001 null',
      'shelf-warmer CDX-000002 null',
    ])
  })

  it('finds mutes, and none that is new, revoked, removed or at a retired installation', async () => {
    await plant('CDX-000001', { installed: 10 * DAY, seen: 25 * HOUR })
    await plant('CDX-000002', { installed: 25 * HOUR })
    await plant('CDX-000003', { installed: 10 * DAY, seen: 23 * HOUR })
    await plant('CDX-000004', { installed: 23 * HOUR })
    await plant('CDX-000005', { installed: 10 * DAY, revoked: true })
    await plant('CDX-000006', { installed: 10 * DAY, removed: 9 * DAY })
    await plant('CDX-000007', { installed: 10 * DAY, at: 'solar-0099' })
    const { findings } = await audit()
    assert.deepEqual(
      findings.map(({ kind, serial, evidence }) => [kind, serial, evidence['lastSeenAt']]),
      [
        ['mute', 'CDX-000002', null],
        ['mute', 'CDX-000001', new Date(NOW.getTime() - 25 * HOUR).toISOString()],
      ],
    )
    assert.deepEqual(await found({ ages: { silentForMs: 26 * HOUR } }), [])
  })

  it('finds current keys that are too old, and none that is retired or of a retired installation', async () => {
    await addKey('solar-0042', 'Key00001', 366 * DAY)
    await addKey('solar-0043', 'Key00002', 900 * DAY, 'RETIRED')
    await addKey('solar-0099', 'Key00003', 900 * DAY)
    const { findings } = await audit()
    assert.deepEqual(
      findings.map(({ kind, serial, installation, evidence, next }) => [
        kind,
        serial,
        installation,
        evidence['keyId'],
        next,
      ]),
      [['stale-key', null, 'solar-0042', 'Key00001', 'cleverctl api-key rotate solar-0042']],
    )
  })

  it('finds secrets that are too old, until they are rotated', async () => {
    const life = { made: 6 * 365 * DAY, registered: 1826 * DAY, installed: 5 * DAY, seen: MINUTE }
    await plant('CDX-000001', life)
    await plant('CDX-000002', { ...life, registered: 1824 * DAY })
    await plant('CDX-000003', { ...life, revoked: true })
    await plant('CDX-000004', life)
    await rotateDeviceSecret(testWorkspace(fresh.database, { clock: testClock(NOW) }), {
      serial: 'CDX-000004',
      graceMs: 0,
      delivery: keptSecret().delivery,
    })
    assert.deepEqual(await found(), ['stale-secret CDX-000001 solar-0042'])
  })

  it('counts all and lists as many as were asked for, and says so', async () => {
    for (let number = 1; number <= 5; number += 1)
      await plant(`CDX-00000${number}`, { made: (300 + number) * DAY })
    const { findings, counts } = await audit({ limit: 2 })
    assert.deepEqual(
      findings.map(({ serial }) => serial),
      ['CDX-000005', 'CDX-000004'],
    )
    assert.equal(counts['shelf-warmer'], 5)
    assert.deepEqual(warnings, ['shelf-warmer: 2 of 5 findings are listed (--limit)'])
  })

  it('is narrowed down by installation, batch and kind', async () => {
    await plant('CDX-000001', { installed: 10 * DAY })
    await plant('CDX-000002', { installed: 10 * DAY, at: 'solar-0043', batch: 'B-2' })
    await plant('CDX-000003', { made: 200 * DAY })
    await addKey('solar-0043', 'Key00001', 400 * DAY)
    assert.deepEqual(await found({ installation: 'solar-0043' }), [
      'mute CDX-000002 solar-0043',
      'stale-key null solar-0043',
    ])
    assert.deepEqual(await found({ batch: 'B-1' }), [
      'mute CDX-000001 solar-0042',
      'shelf-warmer CDX-000003 null',
    ])
    assert.deepEqual(await found({ kinds: ['stale-key'] }), ['stale-key null solar-0043'])
    const { counts } = await audit({ batch: 'B-1', installation: 'solar-0043' })
    assert.ok(!('shelf-warmer' in counts) && !('ghost' in counts))
  })

  it('is not green for an installation, a batch or a kind that it cannot look at', async () => {
    await assert.rejects(audit({ installation: 'solar-none' }), NotFoundError)
    await assert.rejects(audit({ batch: 'B-none' }), NotFoundError)
    await plant('CDX-000001', {})
    await assert.rejects(audit({ kinds: ['ghost'], batch: 'B-1' }), (error) => {
      assert.ok(error instanceof UsageError)
      assert.equal(error.message, 'ghost cannot be narrowed down by --batch')
      return true
    })
  })

  it('says what it could not check, and is not green then', async () => {
    await fresh.database.query('revoke select on cleverctl.refusal from cleverctl_auditor')
    await assert.rejects(audit(), (error) => {
      assert.ok(error instanceof IncompleteError)
      assert.equal(error.exitCode, 1)
      const { notChecked, counts } = error.result as DeviceAudit
      assert.deepEqual(
        notChecked.map(({ kind }) => kind),
        ['ghost', 'squatter', 'zombie'],
      )
      assert.equal(Object.keys(counts).length, 7)
      return true
    })
    await plant('CDX-000001', { made: 300 * DAY })
    const { findings, notChecked } = await audit()
    assert.deepEqual([findings.length, notChecked.length], [1, 3])
  })

  it('stops asking a database that has gone, keeps what it had, and ends as unreachable', async () => {
    await plant('CDX-000001', {})
    let questions = 0
    const database = new Proxy(auditor.database, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        if (name !== 'transaction') return value.bind(target) as unknown
        return async (work: Parameters<typeof target.transaction>[0]) => {
          questions += 1
          return target.transaction(async (transaction) => {
            if (questions === 3) await endOwnConnection()
            return work(transaction)
          })
        }
      },
    })
    /** The server ends every connection of the auditor, as a failover does. */
    const endOwnConnection = () =>
      fresh.database.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where usename = $1',
        [auditor.role],
      )
    workspace = { ...workspace, database }
    await assert.rejects(audit(), (error) => {
      assert.ok(error instanceof IncompleteError)
      assert.equal(error.exitCode, 7)
      const { notChecked, counts } = error.result as DeviceAudit
      assert.deepEqual(Object.keys(counts), ['ghost', 'squatter'])
      assert.equal(notChecked.length, 8)
      return true
    })
    assert.equal(questions, 3)
  })
})
