import assert from 'node:assert/strict'
import { systemRandom } from '../../src/lib/clock.js'
import { RefusedError } from '../../src/lib/errors.js'
import { KeySet } from '../../src/lib/keyring/key-set.js'
import { newDataKey, openWith, sealingKeyId, sealWith } from '../../src/lib/keyring/sealing.js'
import { memoryKeyring } from '../support/memory-keyring.js'

const key = newDataKey(systemRandom, new Date())
const seal = (plaintext: string, identity = 'api-key:abc') =>
  sealWith(key, Buffer.from(plaintext), identity, systemRandom)

describe('sealing', () => {
  it('opens what it sealed, of every length', () => {
    for (const length of [0, 1, 15, 16, 17, 4096]) {
      const text = 'x'.repeat(length)
      assert.equal(openWith(key, seal(text), 'api-key:abc').toString(), text)
    }
  })

  it('never gives the same value twice', () => {
    const values = new Set(Array.from({ length: 1000 }, () => seal('the same').toString('hex')))
    assert.equal(values.size, 1000)
  })

  it('does not open a value as belonging to something else', () => {
    assert.throws(() => openWith(key, seal('secret'), 'api-key:abd'), RefusedError)
  })

  it('does not open a value of which any one bit was changed', () => {
    const sealed = seal('secret')
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = Buffer.from(sealed)
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      assert.throws(() => openWith(key, changed, 'api-key:abc'), RefusedError, `bit ${bit}`)
    }
  })

  it('does not open a value that was cut short', () => {
    const sealed = seal('secret')
    for (let length = 0; length < sealed.length; length++) {
      const cut = sealed.subarray(0, length)
      assert.throws(() => openWith(key, cut, 'api-key:abc'), RefusedError, `${length} bytes`)
    }
  })

  it('says which key sealed a value', () => {
    assert.equal(sealingKeyId(seal('secret')), key.id)
  })
})

describe('a set of keys', () => {
  const newer = newDataKey(systemRandom, new Date())

  it('seals with the current key and opens with each', () => {
    const set = new KeySet([key, newer], newer.id, systemRandom)
    assert.equal(sealingKeyId(set.seal(Buffer.from('x'), 'i')), newer.id)
    assert.equal(set.open(seal('old'), 'api-key:abc').toString(), 'old')
  })

  it('looks for a key that another process has added since', () => {
    const set = new KeySet([key], key.id, systemRandom, () => [key, newer])
    const sealed = sealWith(newer, Buffer.from('new'), 'i', systemRandom)
    assert.equal(set.open(sealed, 'i').toString(), 'new')
  })

  it('names the key that is missing', () => {
    const sealed = sealWith(newer, Buffer.from('new'), 'i', systemRandom)
    assert.throws(
      () => new KeySet([key], key.id, systemRandom).open(sealed, 'i'),
      (error) => error instanceof RefusedError && error.message.includes(newer.id),
    )
  })

  it('does not open with one keyring what another sealed', () => {
    const sealed = memoryKeyring().seal(Buffer.from('x'), 'i')
    assert.throws(() => memoryKeyring().open(sealed, 'i'), RefusedError)
  })
})
