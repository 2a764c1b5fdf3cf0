import assert from 'node:assert/strict'
import { UsageError } from '../../src/lib/errors.js'
import { formatWaves, parseWaves, waveEnds } from '../../src/lib/campaign/waves.js'

describe('waves', () => {
  const ends: [text: string, total: number, ends: number[]][] = [
    ['1,1%,10%,100%', 10_000, [1, 100, 1000, 10_000]],
    ['1,1%,10%,100%', 301, [1, 4, 31, 301]],
    ['1,1%,10%,100%', 50, [1, 5, 50]],
    ['1,1%,10%,100%', 1, [1]],
    ['1,1%,10%,100%', 0, []],
    ['100%', 7, [7]],
    ['10%', 7, [1, 7]],
    ['5,20', 12, [5, 12]],
    ['5,20', 100, [5, 20, 100]],
    // A number that reaches further than the share after it takes that share's wave in.
    ['50,10%', 100, [50, 100]],
  ]
  for (const [text, total, want] of ends) {
    it(`${text} of ${total} targets end at ${want.join(', ') || 'none'}`, () =>
      assert.deepEqual(waveEnds(parseWaves(text), total), want))
  }

  it('get a last one with the rest where it is missing, and are written as they were read', () => {
    assert.equal(formatWaves(parseWaves('1,1%,10%,100%')), '1,1%,10%,100%')
    assert.equal(formatWaves(parseWaves('1, 10%')), '1,10%,100%')
    assert.equal(formatWaves(parseWaves('3')), '3,100%')
  })

  for (const text of [
    '',
    '0',
    '0%',
    '101%',
    '-1',
    '1.5',
    '1%%',
    'all',
    '10%,1%',
    '5,5',
    '1,,2',
    '1;2',
  ]) {
    it(`are not ${JSON.stringify(text)}`, () => assert.throws(() => parseWaves(text), UsageError))
  }
})
