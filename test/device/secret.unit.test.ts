import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import {
  deviceSecretDigest,
  deviceSecretDigestHex,
  makeDeviceSecret,
  parseDeviceSecret,
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
      assert.match(secret, /^clvd_[A-Za-z0-9_-]{43}_[0-9A-Za-z]{6}$/)
      const random = secret.slice(5, 48)
      assert.equal(Buffer.from(random, 'base64url').toString('base64url'), random)
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

  it('show any mistyped character by their checksum', () => {
    const secret = makeDeviceSecret({ bytes: randomBytes }).reveal()
    assert.deepEqual(parseDeviceSecret(secret), { checksumMatches: true })
    for (let at = 'clvd_'.length; at < secret.length; at += 1) {
      if (at === 48) continue
      const mistyped = secret.slice(0, at) + (secret[at] === 'A' ? 'B' : 'A') + secret.slice(at + 1)
      assert.deepEqual(parseDeviceSecret(mistyped), { checksumMatches: false }, String(at))
    }
  })

  it('are not met by other texts', () => {
    const secret = makeDeviceSecret({ bytes: randomBytes }).reveal()
    for (const text of ['', secret.slice(5, 48), secret.slice(1), `${secret}\n`, secret + secret]) {
      assert.equal(parseDeviceSecret(text), undefined)
    }
  })
})
