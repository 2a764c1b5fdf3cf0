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

  beforeEach(() => {
    now = 10_000
    memory = new Memory(() => now)
    memory.vouch(now)
  })

  const learn = async () => {
    await memory.askDevice(device.serial, async () => device)
    await memory.askKey(key.keyId, async () => key)
  }

  it('serves for a second after a heartbeat was sent, and no longer', async () => {
    await learn()
    now += 899
    assert.equal(memory.device(device.serial), device)
    assert.equal(memory.key(key.keyId), key)
    now += 1
    assert.equal(memory.isTrusted, false)
    assert.equal(memory.device(device.serial), undefined)
    assert.equal(memory.key(key.keyId), undefined)
  })

  it('remembers nothing that was asked for without trust', async () => {
    now += 1_000
    await learn()
    memory.vouch(now)
    assert.equal(memory.device(device.serial), undefined)
  })

  it('remembers nothing that was asked for before a notification', async () => {
    let answer: (found: StoredDevice) => void = () => undefined
    const asking = memory.askDevice(
      device.serial,
      () => new Promise((resolve) => (answer = resolve)),
    )
    memory.invalidate(`device:${device.serial}`)
    answer(device)
    assert.equal(await asking, device)
    assert.equal(memory.device(device.serial), undefined)
  })

  it('remembers nothing that was asked for before the connection was lost and came back', async () => {
    let answer: (found: StoredDevice) => void = () => undefined
    const asking = memory.askDevice(
      device.serial,
      () => new Promise((resolve) => (answer = resolve)),
    )
    memory.distrust()
    memory.vouch(now)
    answer(device)
    await asking
    assert.equal(memory.device(device.serial), undefined)
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
    assert.equal(memory.device(device.serial), device)
    assert.equal(memory.key(key.keyId), key)
    memory.invalidate(`device:${device.serial}`)
    assert.equal(memory.device(device.serial), undefined)
    memory.invalidate(`api-key:${key.keyId}`)
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
    assert.equal(memory.device(device.serial), undefined)
    assert.equal(memory.key(key.keyId), undefined)
  })

  it('forgets verified tokens with the keys that verified them', async () => {
    const keys = verificationKeys('ACTIVE')
    await memory.askVerificationKeys(async () => keys)
    memory.rememberToken('digest', claims, 900_000, keys)
    assert.equal(memory.token('digest'), claims)
    memory.invalidate('signing-key:kid')
    assert.equal(memory.token('digest'), undefined)
    assert.equal(memory.verificationKeys, undefined)
    memory.rememberToken('digest', claims, 900_000, keys)
    assert.equal(memory.token('digest'), undefined, 'verified with keys that are gone')
  })

  it('keeps verified tokens when asking again brings the same keys, and drops them for others', async () => {
    const keys = verificationKeys('ACTIVE')
    await memory.askVerificationKeys(async () => keys)
    memory.rememberToken('digest', claims, 900_000, keys)
    await memory.askVerificationKeys(async () => verificationKeys('ACTIVE'))
    assert.equal(memory.token('digest'), claims)
    await memory.askVerificationKeys(async () => verificationKeys('REVOKED'))
    assert.equal(memory.token('digest'), undefined)
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
