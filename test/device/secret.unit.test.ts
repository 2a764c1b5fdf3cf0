import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import {
  deviceSecretDigest,
  deviceSecretDigestHex,
  makeDeviceSecret,
  SecretMint,
} from '../../src/lib/device/secret.js'

describe('device secrets', () => {
  it('are 256 random bits each, never the same twice, over many pools', () => {
    const drawn: Buffer[] = []
    const mint = new SecretMint({
      bytes: (size) => {
        drawn.push(randomBytes(size))
        return drawn.at(-1) ?? Buffer.alloc(0)
      },
    })
    const secrets = Array.from({ length: 5000 }, () => mint.next())
    assert.equal(new Set(secrets).size, 5000)
    for (const secret of secrets) {
      assert.match(secret, /^[A-Za-z0-9_-]{43}$/)
      assert.equal(Buffer.from(secret, 'base64url').toString('base64url'), secret)
    }
    mint.dispose()
    const used = Buffer.concat(drawn).subarray(0, 5000 * 32)
    assert.ok(
      used.every((byte) => byte === 0),
      'nothing of a secret stays in the pool',
    )
  })

  it('are kept as the SHA-256 of what the device sends', () => {
    const secret = makeDeviceSecret({ bytes: randomBytes }).reveal()
    const digest = createHash('sha256').update(secret).digest()
    assert.deepEqual(deviceSecretDigest(secret), digest)
    assert.equal(deviceSecretDigestHex(secret), digest.toString('hex'))
  })
})
