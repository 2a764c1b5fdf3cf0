import assert from 'node:assert/strict'
import { Memory } from '../../src/lib/gate/memory.js'
import type { StoredDevice, StoredKey } from '../../src/lib/gate/store.js'
import type { VerificationKeys } from '../../src/lib/signing-key/verification-keys.js'
import type { DeviceClaims } from '../../src/lib/token/types.js'

const device: StoredDevice = {
  id: '1',
  serial: 'CDX-000123',
  secretSha256: Buffer.alloc(32),
  previousSecretSha256: null,
  previousSecretUntil: null,
  tokenEpoch: 0,
  revokedAt: null,
  placement: null,
}

const key: StoredKey = {
  id: '1',
  keyId: 'k7Qd2XbA',
  version: 1,
  state: 'CURRENT',
  expiresAt: null,
  graceUntil: null,
  digest: Buffer.alloc(32),
  installation: { id: '7', code: 'solar-0042', tokenEpoch: 0, retiredAt: null },
}

const claims: DeviceClaims = {
  audience: 'ingest',
  tokenId: 'x'.repeat(22),
  issuedAt: new Date(0),
  expiresAt: new Date(900_000),
  installation: 'solar-0042',
  serial: 'CDX-000123',
  installationEpoch: 0,
  deviceEpoch: 0,
}

function verificationKeys(state: 'ACTIVE' | 'REVOKED'): VerificationKeys {
  return new Map([['kid', { state, verifyUntil: null, algorithm: 'ES256', holds: () => true }]])
}

describe('the memory of a gate', () => {
  let now: number
  let memory: Memory
  let publicKeys: VerificationKeys

  /** Whether the credentials of the device are still recalled. */
  const recalls = () => memory.recall('digest') !== undefined

  beforeEach(() => {
    now = 10_000
    memory = new Memory(() => now)
    publicKeys = verificationKeys('ACTIVE')
    memory.vouch(now)
  })

  /** Asks for everything that an arrival needs, in the order in which a gate asks. */
  const learn = async (given: { device?: StoredDevice; lifeMs?: number } = {}) => {
    const row = await memory.askKey(key.keyId, async () => ({ ...key }))
    const keys =
      memory.verificationKeys ?? (await memory.askVerificationKeys(async () => publicKeys))
    const { lifeMs = 900_000 } = given
    memory.rememberCredentials('digest', { key: row ?? key, claims }, lifeMs, keys)
    await memory.askDevice(device.serial, async () => given.device ?? device)
  }

  it('serves for a second after a heartbeat was sent, and no longer', async () => {
    await learn()
    now += 899
    assert.deepEqual(memory.recall('digest'), { key, claims, device })
    now += 1
    assert.equal(memory.isTrusted, false)
    assert.equal(recalls(), false)
    assert.equal(memory.key(key.keyId), undefined)
    assert.equal(memory.verificationKeys, undefined)
  })

  it('remembers nothing that was asked for without trust', async () => {
    now += 1_000
    await learn()
    memory.vouch(now)
    assert.equal(recalls(), false)
    assert.equal(memory.key(key.keyId), undefined)
  })

  it('remembers nothing that was asked for before a notification', async () => {
    await learn()
    memory.invalidate(`device:${device.serial}`)
    let answer: (found: StoredDevice) => void = () => undefined
    const asking = memory.askDevice(
      device.serial,
      () => new Promise((resolve) => (answer = resolve)),
    )
    memory.invalidate(`device:${device.serial}`)
    answer(device)
    assert.equal(await asking, device)
    assert.equal(recalls(), false)
    await learn()
    assert.equal(recalls(), true)
  })

  it('remembers nothing that was asked for before the connection was lost and came back', async () => {
    let answer: (found: StoredKey) => void = () => undefined
    const asking = memory.askKey(key.keyId, () => new Promise((resolve) => (answer = resolve)))
    memory.distrust()
    memory.vouch(now)
    answer(key)
    await asking
    assert.equal(memory.key(key.keyId), undefined)
  })

  it('does not remember what does not exist', async () => {
    let asked = 0
    const ask = async () => {
      asked += 1
      return undefined
    }
    await memory.askDevice('CDX-999999', ask)
    await memory.askDevice('CDX-999999', ask)
    assert.equal(asked, 2)
  })

  it('forgets what a notification names, and only that', async () => {
    await learn()
    memory.invalidate('device:CDX-000124')
    memory.invalidate('api-key:m3Qd2XbA')
    memory.invalidate('installer:1')
    memory.invalidate('nonsense')
    assert.equal(recalls(), true)
    memory.invalidate(`device:${device.serial}`)
    assert.equal(recalls(), false)
    await learn()
    memory.invalidate(`api-key:${key.keyId}`)
    assert.equal(recalls(), false)
    assert.equal(memory.key(key.keyId), undefined)
  })

  it('forgets keys with an installation of theirs', async () => {
    await learn()
    memory.invalidate('installation:7')
    assert.equal(memory.key(key.keyId), undefined)
  })

  it('forgets everything when the connection is lost', async () => {
    await learn()
    memory.distrust()
    memory.vouch(now)
    assert.equal(recalls(), false)
    assert.equal(memory.key(key.keyId), undefined)
    assert.equal(memory.verificationKeys, undefined)
  })

  it('forgets verified credentials with the public keys that verified them', async () => {
    await learn()
    memory.invalidate('signing-key:kid')
    assert.equal(recalls(), false)
    assert.equal(memory.verificationKeys, undefined)
    const row = memory.key(key.keyId) ?? assert.fail('the API key is remembered')
    memory.rememberCredentials('digest', { key: row, claims }, 900_000, publicKeys)
    assert.equal(recalls(), false, 'verified with keys that are gone')
  })

  it('keeps verified credentials when asking again brings the same, and drops them for others', async () => {
    await learn()
    await memory.askVerificationKeys(async () => verificationKeys('ACTIVE'))
    await memory.askKey(key.keyId, async () => ({ ...key }))
    assert.equal(recalls(), true)
    await memory.askVerificationKeys(async () => verificationKeys('REVOKED'))
    assert.equal(recalls(), false)
    publicKeys = verificationKeys('ACTIVE')
    await memory.askVerificationKeys(async () => publicKeys)
    await learn()
    await memory.askKey(key.keyId, async () => ({ ...key, digest: Buffer.alloc(32, 1) }))
    assert.equal(recalls(), false, 'the key has another digest, so its text is another')
  })

  it('forgets credentials when their token expires', async () => {
    await learn({ lifeMs: 0 })
    assert.equal(recalls(), false)
    await learn({ lifeMs: -1 })
    assert.equal(recalls(), false)
  })

  it('asks for the keys once for all who wait, and anew after a notification', async () => {
    const answers: ((keys: VerificationKeys) => void)[] = []
    const ask = () => new Promise<VerificationKeys>((resolve) => answers.push(resolve))
    const first = memory.askVerificationKeys(ask)
    const second = memory.askVerificationKeys(ask)
    assert.equal(answers.length, 1)
    memory.invalidate('signing-key:kid')
    const third = memory.askVerificationKeys(ask)
    assert.equal(answers.length, 2)
    const [old, fresh] = [verificationKeys('ACTIVE'), verificationKeys('REVOKED')]
    answers[0]?.(old)
    answers[1]?.(fresh)
    assert.deepEqual(await Promise.all([first, second, third]), [old, old, fresh])
    assert.equal(memory.verificationKeys, fresh)
  })
})
