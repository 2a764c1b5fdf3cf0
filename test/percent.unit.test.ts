import assert from 'node:assert/strict'
import { UsageError } from '../src/lib/errors.js'
import { parsePercent } from '../src/lib/percent.js'

describe('a share in a flag', () => {
  for (const [text, want] of [
    ['1%', 1],
    ['100%', 100],
  ] as const) {
    it(`${text} is ${want}`, () => assert.equal(parsePercent(text), want))
  }
  for (const text of ['0%', '101%', '50', '%', '1.5%', '-1%', ' 5%', '1000%', '']) {
    it(`${JSON.stringify(text)} is none`, () => assert.throws(() => parsePercent(text), UsageError))
  }
})
