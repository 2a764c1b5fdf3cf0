import assert from 'node:assert/strict'
import {
  type ExpectedError,
  FindingsError,
  NotFoundError,
  RefusedError,
  UsageError,
} from '../../src/lib/errors.js'
import type { SecretDelivery } from '../../src/lib/secret-delivery.js'
import { Secret } from '../../src/lib/secret.js'
import { ensureSigningKeys } from '../../src/lib/signing-key/ensure.js'
import { rotateSigningKey } from '../../src/lib/signing-key/rotate.js'
import { loadSigner } from '../../src/lib/signing-key/signer.js'
import { loadVerificationKeys } from '../../src/lib/signing-key/verification-keys.js'
import { inspectToken, type TokenInspection } from '../../src/lib/token/inspect.js'
import { issueToken } from '../../src/lib/token/issue.js'
import { revokeTokens } from '../../src/lib/token/revoke.js'
import { signToken } from '../../src/lib/token/sign.js'
import { verifyToken } from '../../src/lib/token/verify.js'
import type { Workspace } from '../../src/lib/workspace.js'
import {
  freshDatabase,
  testClock,
  testWorkspace,
  type FreshDatabase,
  type TestClock,
} from '../support/database.js'
import { roleDatabase, type RoleDatabase } from '../support/roles.js'

const MINUTE = 60_000

function delivery(secrets: string[]): SecretDelivery {
  return {
    resume: async () => false,
    stage: async (secret) => void secrets.push(secret.reveal()),
    finish: async () => undefined,
    discard: async () => undefined,
    revealed: () => undefined,
  }
}

describe('tokens in the database', () => {
  let fresh: FreshDatabase
  let staff: RoleDatabase
  let workspace: Workspace
  let clock: TestClock

  before(async () => {
    fresh = await freshDatabase()
    staff = await roleDatabase(fresh, 'cleverctl_staff')
    clock = testClock('2026-06-01T12:00:00Z')
    workspace = testWorkspace(staff.database, { clock })
    await fresh.database.query(`
      insert into cleverctl.installation (code, name, timezone, latitude, longitude)
      values ('solar-0042', 'Almeria 42', 'Europe/Madrid', 36.84, -2.46),
        ('solar-0043', 'Almeria 43', 'Europe/Madrid', 36.84, -2.46);
      insert into cleverctl.installer (email, name, password_hash)
      values ('installer@example.com', 'Installer', 'x');
      insert into cleverctl.device (serial, model, batch, manufactured_at, secret_sha256)
      select 'CDX-' || lpad(number::text, 6, '0'), 'CleverDx', 'B-1', '2026-01-01',
        sha256(number::text::bytea)
      from generate_series(123, 127) as number;
      insert into cleverctl.placement (device_id, installation_id, installer_id, during)
      select device.id, installation.id, installer.id, tstzrange('2026-02-01', null)
      from cleverctl.device, cleverctl.installation, cleverctl.installer
      where (serial, code) in (('CDX-000123', 'solar-0042'), ('CDX-000124', 'solar-0042'),
        ('CDX-000127', 'solar-0043'));
      insert into cleverctl.placement (device_id, installation_id, installer_id, during, removed_by)
      select device.id, installation.id, installer.id, tstzrange('2026-02-01', '2026-03-01'), 'staff:x'
      from cleverctl.device, cleverctl.installation, cleverctl.installer
      where (serial, code) in (('CDX-000126', 'solar-0042'));
      update cleverctl.device set revoked_at = now(), revoke_reason = 'stolen'
      where serial = 'CDX-000124';
      update cleverctl.installation set retired_at = now() where code = 'solar-0043'`)
  })

  after(async () => {
    await staff.close()
    await fresh.drop()
  })

  async function issue(serial: string, ttlMs = 15 * MINUTE) {
    const secrets: string[] = []
    const issued = await issueToken(workspace, { serial, ttlMs, delivery: delivery(secrets) })
    return { ...issued, text: secrets[0] ?? '' }
  }

  /** The codes of the rules that a token breaks. */
  async function inspect(text: string, audience: 'ingest' | 'app' = 'ingest') {
    try {
      const found = await inspectToken(workspace, { token: new Secret(text), audience })
      assert.equal(found.valid, true)
      return []
    } catch (error) {
      assert.ok(error instanceof FindingsError)
      const { valid, rules } = error.result as TokenInspection
      assert.equal(valid, false)
      return rules.filter(({ verdict }) => verdict === 'fail').map(({ code }) => code)
    }
  }

  it('are issued for a device where it stands, and recorded without the token', async () => {
    const { text, ...issued } = await issue('CDX-000123')
    assert.deepEqual(issued, {
      serial: 'CDX-000123',
      installation: 'solar-0042',
      tokenId: issued.tokenId,
      kid: (await loadSigner(workspace)).kid,
      expiresAt: '2026-06-01T12:15:00.000Z',
      expiresIn: 900,
    })
    const keys = await loadVerificationKeys(staff.database)
    const verdict = verifyToken(text, keys, { now: clock.now(), audience: 'ingest' })
    assert.equal(verdict.ok && verdict.claims.tokenId, issued.tokenId)
    assert.deepEqual(await inspect(text), [])
    const { rows } = await fresh.database.query<{ details: object; whole: string }>(
      `select details, trail::text as whole from cleverctl.trail
       where action = 'token.issue' and subject = 'CDX-000123'`,
    )
    assert.deepEqual(rows[0]?.details, {
      tokenId: issued.tokenId,
      installation: 'solar-0042',
      kid: issued.kid,
      expiresAt: issued.expiresAt,
    })
    for (const part of text.split('.')) assert.ok(!rows[0]?.whole.includes(part))
  })

  it('hold the claims of RFC 9068 and no others than ours, in the size of a header line', async () => {
    const { text } = await issue('CDX-000123')
    const [header = '', claims = ''] = text.split('.')
    const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as object
    assert.deepEqual(Object.keys(read(header)).sort(), ['alg', 'kid', 'typ'])
    assert.deepEqual(Object.keys(read(claims)).sort(), [
      'aud',
      'client_id',
      'device_epoch',
      'epoch',
      'exp',
      'iat',
      'iss',
      'jti',
      'serial',
      'sub',
    ])
    assert.ok(text.length < 500, String(text.length))
  })

  const refusals: [serial: string, kind: typeof ExpectedError, code: string][] = [
    ['CDX-999999', NotFoundError, 'device-not-found'],
    ['CDX-000124', RefusedError, 'device-revoked'],
    ['CDX-000125', RefusedError, 'device-not-installed'],
    ['CDX-000126', RefusedError, 'device-not-installed'],
    ['CDX-000127', RefusedError, 'installation-retired'],
  ]
  for (const [serial, kind, code] of refusals) {
    it(`are not issued for ${serial}: ${code}`, async () => {
      await assert.rejects(
        issue(serial),
        (error) => error instanceof kind && error.code === code && error.suggestions.length > 0,
      )
    })
  }

  for (const [ttlMs, isAllowed] of [
    [0, false],
    [999, false],
    [1000, true],
    [60 * MINUTE, true],
    [60 * MINUTE + 1, false],
  ] as const) {
    it(`may ${isAllowed ? '' : 'not '}live ${ttlMs} ms`, async () => {
      if (isAllowed) await issue('CDX-000123', ttlMs)
      else await assert.rejects(issue('CDX-000123', ttlMs), UsageError)
    })
  }

  it('of an installation die together, and the next ones live', async () => {
    const { text } = await issue('CDX-000123')
    const revoked = await revokeTokens(workspace, { installation: 'solar-0042' })
    assert.deepEqual(revoked, { installation: 'solar-0042', tokenEpoch: 1 })
    assert.deepEqual(await inspect(text), ['T_EPOCH'])
    assert.deepEqual(await inspect((await issue('CDX-000123')).text), [])
  })

  it('of a device die together, and the next ones live', async () => {
    const { text } = await issue('CDX-000123')
    assert.deepEqual(await revokeTokens(workspace, { device: 'CDX-000123' }), {
      device: 'CDX-000123',
      tokenEpoch: 1,
    })
    assert.deepEqual(await inspect(text), ['T_EPOCH'])
    assert.deepEqual(await inspect((await issue('CDX-000123')).text), [])
    const { rows } = await fresh.database.query<{ subject: string; details: object }>(
      `select subject, details from cleverctl.trail where action = 'token.revoke' order by seq`,
    )
    assert.deepEqual(rows, [
      { subject: 'solar-0042', details: { scope: 'installation', tokenEpoch: 1 } },
      { subject: 'CDX-000123', details: { scope: 'device', tokenEpoch: 1 } },
    ])
  })

  it('of nobody cannot be revoked', async () => {
    await assert.rejects(revokeTokens(workspace, { device: 'CDX-999999' }), NotFoundError)
    await assert.rejects(revokeTokens(workspace, { installation: 'solar-9999' }), NotFoundError)
  })

  it('say on inspection what is wrong with them', async () => {
    const { text } = await issue('CDX-000123', 5000)
    assert.deepEqual(await inspect(text, 'app'), ['T_AUD', 'T_CLIENT'])
    assert.deepEqual(await inspect(`${text}x`), ['T_FORMAT'])
    clock.advance(5000)
    assert.deepEqual(await inspect(text), ['T_EXPIRED'])
    clock.advance(-5000)
    assert.deepEqual(await inspect(text), [])
  })

  it('of the app are held against the installer', async () => {
    await ensureSigningKeys(workspace)
    const { rows } = await fresh.database.query<{ id: string }>(
      'select id from cleverctl.installer',
    )
    const installerId = rows[0]?.id ?? ''
    const bearer = { audience: 'app', installerId, installerEpoch: 0 } as const
    const { random } = workspace
    const signer = await loadSigner(workspace)
    const signed = signToken(signer, bearer, { clock, random, ttlMs: MINUTE })
    assert.deepEqual(await inspect(signed.token.reveal(), 'app'), [])
    await fresh.database.query('update cleverctl.installer set token_epoch = 1')
    assert.deepEqual(await inspect(signed.token.reveal(), 'app'), ['T_EPOCH'])
  })

  it('outlive a rotation of the signing key', async () => {
    const { text } = await issue('CDX-000123')
    await rotateSigningKey(workspace, { isUrgent: true, isCompromised: false })
    assert.deepEqual(await inspect(text), [])
    assert.deepEqual(await inspect((await issue('CDX-000123')).text), [])
  })

  it('are not issued when they cannot be delivered', async () => {
    const before = await fresh.database.query('select from cleverctl.trail')
    const broken: SecretDelivery = {
      ...delivery([]),
      stage: async () => {
        throw new Error('disk full')
      },
    }
    const asked = { serial: 'CDX-000123', ttlMs: MINUTE, delivery: broken }
    await assert.rejects(issueToken(workspace, asked), /disk full/)
    const after = await fresh.database.query('select from cleverctl.trail')
    assert.equal(after.rows.length, before.rows.length)
  })
})
