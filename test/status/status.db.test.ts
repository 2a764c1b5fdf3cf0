import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { ensureSigningKeys } from '../../src/lib/signing-key/ensure.js'
import { readStatus } from '../../src/lib/status/read.js'
import { statusFacts } from '../../src/lib/status/render.js'
import type { Workspace } from '../../src/lib/workspace.js'
import { runCli } from '../support/cli.js'
import { freshDatabase, type FreshDatabase, testWorkspace } from '../support/database.js'
import { roleDatabase } from '../support/roles.js'

describe('status', () => {
  let fresh: FreshDatabase
  let workspace: Workspace

  beforeEach(async () => {
    fresh = await freshDatabase()
    workspace = testWorkspace(fresh.database, { clock: { now: () => new Date() } })
  })
  afterEach(() => fresh.drop())

  const query = (statement: string): Promise<unknown> => fresh.database.query(statement)
  const installations = (count: number): Promise<unknown> =>
    query(`insert into cleverctl.installation (code, name, timezone, latitude, longitude)
      select 'solar-' || lpad(n::text, 4, '0'), 'Site', 'Europe/Madrid', 36.84, -2.46
      from generate_series(42, ${41 + count}) as n`)
  const devices = (count: number): Promise<unknown> =>
    query(`insert into cleverctl.device (serial, model, batch, manufactured_at, secret_sha256)
      select 'CDX-' || lpad(n::text, 6, '0'), 'DX1', 'B1', '2026-01-01Z', decode(repeat('ab', 32), 'hex')
      from generate_series(1, ${count}) as n`)
  const readings = (count: number, receivedAt: string): Promise<unknown> =>
    query(`insert into cleverctl.reading (device_id, installation_id, at, "values", received_at)
      select n, 1, now(), '{}', ${receivedAt} from generate_series(1, ${count}) as n`)

  it('tells of a database where nothing is', async () => {
    const status = await readStatus(workspace)
    const zero = { count: 0, isEstimate: false }
    deepEqual(status.devices, { registered: zero, installed: zero, revoked: zero })
    equal(status.trail, undefined)
    equal(status.next.length, 4)
  })

  it('counts what there is', async () => {
    await installations(3)
    await devices(5)
    await ensureSigningKeys(workspace)
    await query(`update cleverctl.installation set retired_at = now() where code = 'solar-0044'`)
    await query(
      `update cleverctl.device set revoked_at = now(), revoke_reason = 'lost' where id <= 2`,
    )
    await query(`insert into cleverctl.installer (email, name, password_hash, disabled_at)
      values ('installer@example.com', 'Installer', '-', null), ('gone@example.com', 'Gone', '-', now())`)
    await query(`insert into cleverctl.placement (device_id, installation_id, installer_id, during)
      values (3, 1, 1, tstzrange(now(), null)), (4, 1, 1, tstzrange(now() - interval '1 day', now()))`)
    await query(`insert into cleverctl.api_key
        (key_id, installation_id, version, state, digest, expires_at, grace_until)
      values ('aaaaaaaa', 1, 1, 'GRACE', sha256('a'), null, now() + interval '1 hour'),
        ('bbbbbbbb', 1, 2, 'CURRENT', sha256('b'), now() + interval '3 days', null)`)
    await query(`select cleverctl.reading_ensure_partition(now())`)
    await readings(4, `now() - interval '2 hours'`)
    await query(`insert into cleverctl.reading (device_id, installation_id, at, "values")
      values (9, 1, now(), '{}')`)
    await query(`insert into cleverctl.refusal
        (hour, code, requirement, route, count, first_at, last_at, last_request_id, serial)
      values (date_trunc('hour', now()), 'K_UNKNOWN', 1, '/v1/data', 7, now(), now(), 'r', null),
        (date_trunc('hour', now()), 'K_UNKNOWN', 1, '/v1/data', 2, now(), now(), 'r', 'CDX-000001'),
        (date_trunc('hour', now()), 'I_NONE', 3, '/v1/data', 11, now(), now(), 'r', null),
        (now() - interval '3 days', 'T_EXP', 1, '/v1/data', 99, now(), now() - interval '2 days', 'r', null)`)

    const status = await readStatus(workspace)
    deepEqual(status.installations, {
      active: 2,
      retired: 1,
      withoutKey: { total: 1, codes: ['solar-0043'] },
    })
    const { registered, installed, revoked } = status.devices
    deepEqual([registered.count, installed.count, revoked.count], [5, 1, 2])
    equal(status.installers, 1)
    deepEqual(status.apiKeys, {
      inGrace: 1,
      expiringWithin30Days: { total: 1, codes: ['solar-0042'] },
    })
    deepEqual(
      status.signingKeys.map(({ state }) => state),
      ['ACTIVE', 'NEXT'],
    )
    deepEqual([status.readings.lastHour.count, status.readings.lastDay.count], [1, 5])
    deepEqual(status.refusalsLastDay, [
      { code: 'I_NONE', count: 11 },
      { code: 'K_UNKNOWN', count: 9 },
    ])
    match(status.trail?.hash ?? '', /^[0-9a-f]{64}$/)
    const lines = new Map(statusFacts(status, (at) => at))
    equal(lines.get('refusals'), '11 I_NONE, 9 K_UNKNOWN in the last day')
    equal(lines.get('devices'), '5 registered, 1 installed, 2 revoked')
  })

  it('estimates more than a hundred thousand devices, and says so', async () => {
    await devices(100_001)
    equal((await readStatus(workspace)).devices.registered.count, 100_001)
    await query('analyze cleverctl.device')
    const status = await readStatus(workspace)
    deepEqual(status.devices.registered, { count: 100_000, isEstimate: true })
    const [, line] = statusFacts(status, (at) => at).find(([label]) => label === 'devices') ?? []
    match(line ?? '', /^about 100,000 registered, 0 installed, 0 revoked$/)
  })

  it('estimates more than a hundred thousand readings by those of the last minute', async () => {
    await query(`select cleverctl.reading_ensure_partition(now())`)
    await readings(150_000, `now() - (n % 3000) * interval '1 second'`)
    const { lastHour, lastDay } = (await readStatus(workspace)).readings
    deepEqual([lastHour.isEstimate, lastDay.isEstimate], [true, true])
    ok(lastHour.count > 100_000 && lastHour.count < 300_000, `${lastHour.count}`)
  })

  it('is told to staff and auditors, and not to a gate', async () => {
    await installations(1)
    for (const group of ['cleverctl_staff', 'cleverctl_auditor'] as const) {
      const login = await roleDatabase(fresh, group)
      equal((await readStatus(testWorkspace(login.database))).installations.active, 1, group)
      await login.close()
    }
    const gate = await roleDatabase(fresh, 'cleverctl_gate')
    const result = await runCli(['status', '--json'], { env: { CLEVERCTL_DATABASE_URL: gate.url } })
    await gate.close()
    equal(result.code, 4)
  })

  it('is one document for programs and one screen for people', async () => {
    const env = { CLEVERCTL_DATABASE_URL: fresh.url }
    const json = await runCli(['status', '--json'], { env })
    deepEqual(
      Object.keys(json.json() as object),
      [
        'profile',
        'database',
        'installations',
        'devices',
        'installers',
        'apiKeys',
        'signingKeys',
        'readings',
        'refusalsLastDay',
        'next',
      ],
      json.stderr,
    )
    const text = await runCli(['status'], { env })
    match(text.stdout, /^profile\tdefault\n/)
    ok(text.stdout.split('\n').length < 25)
  })
})
