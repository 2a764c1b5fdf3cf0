import assert from 'node:assert/strict'
import { systemRandom } from '../src/lib/clock.js'
import { encodeBase62, randomBase62 } from '../src/lib/base62.js'

describe('base 62', () => {
  it('draws every character equally often', () => {
    const counts = new Map<string, number>()
    for (const character of randomBase62(systemRandom, 62_000)) {
      counts.set(character, (counts.get(character) ?? 0) + 1)
    }
    assert.equal(counts.size, 62)
    // 1000 of each are expected with a deviation of 31; eight deviations are no accident.
    for (const count of counts.values()) assert.ok(Math.abs(count - 1000) < 250, String(count))
  })

  it('refuses the bytes that would favour some characters', () => {
    const bytes = [255, 254, 248, 247, 0, 61, 62]
    const random = { bytes: (size: number) => Buffer.from(bytes.splice(0, size)) }
    assert.equal(randomBase62(random, 3), 'z0z')
  })

  for (const [value, text] of [
    [0, '000000'],
    [61, '00000z'],
    [62, '000010'],
    [0xffffffff, '4gfFC3'],
  ] as const) {
    it(`writes ${value} as ${text}`, () => assert.equal(encodeBase62(value, 6), text))
  }
})
