import assert from 'node:assert/strict'
import { systemRandom } from '../../../src/lib/clock.js'
import { generateSecret, generateSsid } from '../../../src/lib/router/rotation/generate.js'
import { faultOfPassword, faultOfWifi } from '../../../src/lib/router/types.js'

describe('generated router secrets', () => {
  const secrets = Array.from({ length: 2000 }, () => generateSecret(systemRandom).reveal())

  it('hold nothing that has to be escaped, or is mistaken by telephone', () => {
    for (const secret of secrets)
      assert.match(secret, /^([A-HJ-NP-Za-km-z2-9]{6}-){3}[A-HJ-NP-Za-km-z2-9]{6}$/)
  })

  it('are what RutOS, WPA2 and this tool take', () => {
    for (const secret of secrets) {
      for (const kind of [/[a-z]/, /[A-Z]/, /[0-9]/, /-/]) assert.match(secret, kind)
      assert.equal(faultOfWifi(generateSsid(systemRandom), secret), undefined)
      assert.equal(faultOfPassword(secret), undefined)
    }
  })

  it('are never the same, and use every letter alike', () => {
    assert.equal(new Set(secrets).size, secrets.length)
    const letters = secrets.join('').replaceAll('-', '')
    const counts = new Map<string, number>()
    for (const letter of letters) counts.set(letter, (counts.get(letter) ?? 0) + 1)
    assert.equal(counts.size, 57)
    // 48,000 letters of 57: 842 each, and six standard deviations are 173.
    for (const [letter, count] of counts)
      assert.ok(Math.abs(count - 842) < 200, `${letter} ${count}`)
  })
})
