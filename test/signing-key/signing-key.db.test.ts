import assert from 'node:assert/strict'
import { createPublicKey, verify as verifyBytes } from 'node:crypto'
import { ConflictError, NotFoundError, RefusedError } from '../../src/lib/errors.js'
import { ensureSigningKeys } from '../../src/lib/signing-key/ensure.js'
import { publicKeys } from '../../src/lib/signing-key/jwks.js'
import { listSigningKeys } from '../../src/lib/signing-key/list.js'
import { rotateSigningKey } from '../../src/lib/signing-key/rotate.js'
import { loadSigner } from '../../src/lib/signing-key/signer.js'
import { selectSigningKeys } from '../../src/lib/signing-key/store.js'
import { loadVerificationKeys } from '../../src/lib/signing-key/verification-keys.js'
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
const HOUR = 60 * MINUTE
const usual = { isUrgent: false, isCompromised: false }
const urgent = { isUrgent: true, isCompromised: false }
const compromised = { isUrgent: false, isCompromised: true }

describe('signing keys', () => {
  let fresh: FreshDatabase
  let staff: RoleDatabase
  let gate: RoleDatabase
  let workspace: Workspace
  let clock: TestClock

  beforeEach(async () => {
    fresh = await freshDatabase()
    staff = await roleDatabase(fresh, 'cleverctl_staff')
    gate = await roleDatabase(fresh, 'cleverctl_gate')
    clock = testClock('2026-06-01T12:00:00Z')
    workspace = testWorkspace(staff.database, { clock })
  })

  afterEach(async () => {
    await staff.close()
    await gate.close()
    await fresh.drop()
  })

  async function states(): Promise<Record<string, string>> {
    const { signingKeys } = await listSigningKeys(workspace)
    return Object.fromEntries(signingKeys.map(({ kid, state }) => [kid, state]))
  }

  async function freshToken(ttlMs = 15 * MINUTE): Promise<string> {
    const signer = await loadSigner(workspace)
    const bearer = {
      audience: 'ingest',
      installation: 'solar-0042',
      serial: 'CDX-000123',
      installationEpoch: 0,
      deviceEpoch: 0,
    } as const
    return signToken(signer, bearer, { clock, random: workspace.random, ttlMs }).token.reveal()
  }

  async function verdictOn(token: string): Promise<string> {
    const keys = await loadVerificationKeys(gate.database)
    const verdict = verifyToken(token, keys, { now: clock.now(), audience: 'ingest' })
    return verdict.ok ? 'ok' : verdict.code
  }

  it('are made once, ACTIVE and NEXT, and sealed', async () => {
    const made = await ensureSigningKeys(workspace)
    assert.equal(made.length, 2)
    assert.deepEqual(Object.values(await states()).sort(), ['ACTIVE', 'NEXT'])
    assert.deepEqual(await ensureSigningKeys(workspace), [])
    const { rows } = await fresh.database.query<{ sealed: Buffer; jwk: object }>(
      'select sealed_private as sealed, public_jwk as jwk from cleverctl.signing_key',
    )
    for (const { sealed, jwk } of rows) {
      assert.deepEqual(Object.keys(jwk).sort(), ['crv', 'kty', 'x', 'y'])
      // A PKCS #8 key holds its curve's object identifier; the sealed one must not show it.
      assert.ok(!sealed.includes(Buffer.from('2a8648ce3d030107', 'hex')))
    }
  })

  it('are made once by many processes that start together', async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => ensureSigningKeys(workspace)))
    assert.equal(made.flat().length, 2)
    assert.equal(Object.keys(await states()).length, 2)
    const { rows } = await fresh.database.query(
      "select from cleverctl.trail where action = 'signing-key.create'",
    )
    assert.equal(rows.length, 1)
  })

  it('are wanted before a token can be signed', async () => {
    await assert.rejects(
      loadSigner(workspace),
      (error) => error instanceof NotFoundError && error.code === 'no-signing-key',
    )
  })

  it('sign and verify under the rights of a gate, which can make none itself', async () => {
    await ensureSigningKeys(workspace)
    const gateWorkspace = { ...workspace, database: gate.database }
    assert.equal((await loadSigner(gateWorkspace)).kid, (await loadSigner(workspace)).kid)
    assert.equal(await verdictOn(await freshToken()), 'ok')
    await assert.rejects(rotateSigningKey(gateWorkspace, usual), RefusedError)
  })

  it('do not open with another keyring', async () => {
    await ensureSigningKeys(workspace)
    await assert.rejects(loadSigner(testWorkspace(staff.database)), RefusedError)
  })

  it('do not open when two rows exchange their sealed keys', async () => {
    await ensureSigningKeys(workspace)
    await fresh.database.query(
      `update cleverctl.signing_key as one set sealed_private = other.sealed_private
       from cleverctl.signing_key as other where one.kid <> other.kid`,
    )
    await assert.rejects(loadSigner(workspace), RefusedError)
  })

  it('rotate: the published one signs, the former verifies until its last token is dead', async () => {
    const [first = '', second = ''] = await ensureSigningKeys(workspace)
    const last = await freshToken(HOUR)
    const rotation = await rotateSigningKey(workspace, usual)
    assert.deepEqual(rotation, {
      active: second,
      next: rotation.next,
      former: { kid: first, verifyUntil: '2026-06-01T13:01:00.000Z' },
      revoked: [],
    })
    assert.deepEqual(await states(), {
      [first]: 'VERIFY',
      [second]: 'ACTIVE',
      [rotation.next]: 'NEXT',
    })
    assert.equal((await loadSigner(workspace)).kid, second)
    clock.advance(HOUR - 1)
    assert.equal(await verdictOn(last), 'ok')
    clock.advance(1)
    assert.equal(await verdictOn(last), 'T_EXPIRED')
    clock.advance(MINUTE)
    assert.equal(await verdictOn(last), 'T_KID')
    assert.equal((await states())[first], 'RETIRED')
  })

  it('erase the private half of a key that signs no more, and write down that it is retired', async () => {
    const [first] = await ensureSigningKeys(workspace)
    await rotateSigningKey(workspace, usual)
    const stored = async () => {
      const { rows } = await fresh.database.query<{ state: string; sealed: Buffer | null }>(
        'select state, sealed_private as sealed from cleverctl.signing_key where kid = $1',
        [first],
      )
      return rows[0]
    }
    assert.deepEqual(await stored(), { state: 'VERIFY', sealed: null })
    clock.advance(2 * HOUR)
    await rotateSigningKey(workspace, usual)
    assert.deepEqual(await stored(), { state: 'RETIRED', sealed: null })
  })

  it('rotate at once only while every verifier must know the next one', async () => {
    await ensureSigningKeys(workspace)
    // The first two were published together.
    clock.advance(1)
    const { next } = await rotateSigningKey(workspace, usual)
    clock.advance(2 * MINUTE - 1)
    await assert.rejects(
      rotateSigningKey(workspace, usual),
      (error) =>
        error instanceof ConflictError &&
        error.code === 'signing-key-too-new' &&
        error.suggestions.includes('cleverctl signing-key rotate --now'),
    )
    clock.advance(1)
    assert.equal((await rotateSigningKey(workspace, usual)).active, next)
    assert.equal((await rotateSigningKey(workspace, urgent)).revoked.length, 0)
  })

  it('all fall when one is compromised, and every token with them', async () => {
    const [first = '', second = ''] = await ensureSigningKeys(workspace)
    const early = await freshToken()
    await rotateSigningKey(workspace, usual)
    const late = await freshToken()
    const rotation = await rotateSigningKey(workspace, compromised)
    assert.equal(rotation.former, null)
    assert.equal(rotation.revoked.length, 3)
    const found = await states()
    assert.equal(found[first], 'REVOKED')
    assert.equal(found[second], 'REVOKED')
    assert.equal(found[rotation.active], 'ACTIVE')
    assert.equal(found[rotation.next], 'NEXT')
    assert.equal(await verdictOn(early), 'T_KID')
    assert.equal(await verdictOn(late), 'T_KID')
    assert.equal(await verdictOn(await freshToken()), 'ok')
    const { rows } = await fresh.database.query(
      `select from cleverctl.signing_key where state = 'REVOKED' and sealed_private is not null`,
    )
    assert.equal(rows.length, 0)
  })

  it('rotate where there are none makes the first ones', async () => {
    const rotation = await rotateSigningKey(workspace, usual)
    assert.deepEqual(rotation, { ...rotation, former: null, revoked: [] })
    assert.deepEqual(await states(), { [rotation.active]: 'ACTIVE', [rotation.next]: 'NEXT' })
  })

  it('keep one ACTIVE and one NEXT however many rotate at once', async () => {
    await ensureSigningKeys(workspace)
    await Promise.all(Array.from({ length: 6 }, () => rotateSigningKey(workspace, urgent)))
    const found = Object.values(await states()).sort()
    assert.deepEqual(found, ['ACTIVE', 'NEXT', ...Array.from({ length: 6 }, () => 'VERIFY')])
  })

  it('are published without anything private, and until their last token is dead', async () => {
    const [first, second] = await ensureSigningKeys(workspace)
    const token = await freshToken()
    const { next } = await rotateSigningKey(workspace, usual)
    const published = publicKeys(await selectSigningKeys(gate.database), clock.now()).keys
    assert.deepEqual(new Set(published.map(({ kid }) => kid)), new Set([first, second, next]))
    for (const key of published) {
      assert.deepEqual(Object.keys(key), ['kty', 'crv', 'x', 'y', 'kid', 'use', 'alg'])
      assert.deepEqual([key.kty, key.crv, key.use, key.alg], ['EC', 'P-256', 'sig', 'ES256'])
    }
    // A verifier that knows nothing but the published keys accepts the token.
    const [header = '', claims, signature = ''] = token.split('.')
    const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string }
    const jwk = published.find((key) => key.kid === kid)
    assert.ok(jwk)
    const { kty, crv, x, y } = jwk
    const key = createPublicKey({ key: { kty, crv, x, y }, format: 'jwk' })
    const bytes = Buffer.from(`${header}.${claims}`)
    const proof = Buffer.from(signature, 'base64url')
    assert.ok(verifyBytes('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' }, proof))
    const later = new Date(clock.now().getTime() + 2 * HOUR)
    const left = publicKeys(await selectSigningKeys(gate.database), later).keys
    assert.deepEqual(new Set(left.map((one) => one.kid)), new Set([second, next]))
  })

  it('leave kids alone in the trail', async () => {
    await ensureSigningKeys(workspace)
    await rotateSigningKey(workspace, usual)
    const { rows } = await fresh.database.query<{ action: string; details: object }>(
      'select action, details from cleverctl.trail order by seq',
    )
    assert.deepEqual(
      rows.map(({ action }) => action),
      ['signing-key.create', 'signing-key.rotate'],
    )
    assert.ok(!/"(d|x|y)":|sealed/.test(JSON.stringify(rows)))
  })
})
