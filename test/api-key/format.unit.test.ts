import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { apiKeyDigest, generateApiKey, parseApiKey } from '../../src/lib/api-key/format.js'
import { systemRandom } from '../../src/lib/clock.js'

const KEY = 'clv_live_k7Qd2XbA_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg_06Ly6k'

describe('the form of an API key', () => {
  it('is prefix, environment, key id, secret and checksum', () => {
    const { apiKey, keyId } = generateApiKey(systemRandom)
    assert.match(apiKey.reveal(), /^clv_live_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}$/)
    assert.deepEqual(parseApiKey(apiKey.reveal()), {
      environment: 'live',
      keyId,
      checksumMatches: true,
    })
  })

  it('never comes twice', () => {
    const keys = Array.from({ length: 1000 }, () => generateApiKey(systemRandom).apiKey.reveal())
    assert.equal(new Set(keys).size, 1000)
  })

  it('does not print itself', () => {
    const made = generateApiKey(systemRandom)
    assert.equal(JSON.stringify(made), JSON.stringify({ apiKey: '[secret]', keyId: made.keyId }))
  })

  it('has a checksum over everything before it', () => {
    assert.deepEqual(parseApiKey(KEY), {
      environment: 'live',
      keyId: 'k7Qd2XbA',
      checksumMatches: true,
    })
  })

  it('shows any mistyped character by its checksum', () => {
    for (let at = 9; at < KEY.length; at += 1) {
      if (KEY[at] === '_') continue
      const mistyped = KEY.slice(0, at) + (KEY[at] === 'A' ? 'B' : 'A') + KEY.slice(at + 1)
      assert.equal(parseApiKey(mistyped)?.checksumMatches, false, mistyped)
    }
  })

  it('understands test keys', () => {
    assert.equal(parseApiKey(KEY.replace('live', 'test'))?.environment, 'test')
  })

  const foreign: [name: string, text: string][] = [
    ['nothing', ''],
    ['another prefix', KEY.replace('clv', 'ghp')],
    ['another environment', KEY.replace('live', 'prod')],
    ['a short key id', KEY.replace('k7Qd2XbA', 'k7Qd2Xb')],
    ['a character outside the alphabet', KEY.replace('012', '01-')],
    ['a newline at its end', `${KEY}\n`],
    ['a space before it', ` ${KEY}`],
    ['two keys', `${KEY}${KEY}`],
    ['letters of other alphabets', KEY.replace('A', 'А')],
    ['a megabyte', 'clv_live_'.padEnd(1_048_576, 'A')],
  ]
  for (const [name, text] of foreign) {
    it(`is not met by ${name}`, () => assert.equal(parseApiKey(text), undefined))
  }

  it('is not met by any part of a key', () => {
    for (let end = 0; end < KEY.length; end += 1) {
      assert.equal(parseApiKey(KEY.slice(0, end)), undefined)
    }
  })

  it('is kept as the SHA-256 of the whole text', () => {
    assert.deepEqual(apiKeyDigest(KEY), createHash('sha256').update(KEY).digest())
  })
})
