import assert from 'node:assert/strict'
import { UsageError } from '../src/lib/errors.js'
import { monthStart, parseMonths } from '../src/lib/months.js'

describe('months', () => {
  it('are read in months and years', () => {
    assert.deepEqual(['1mo', '24mo', '2y', '100y'].map(parseMonths), [1, 24, 24, 1200])
  })

  it('are refused in any other form, and never repeated', () => {
    for (const text of ['', '0mo', '24', '24m', '-1mo', '1.5y', '101y', '1201mo', 'mo', '99999mo'])
      assert.throws(
        () => parseMonths(text),
        (error) => error instanceof UsageError && error.code === 'bad-months',
        text,
      )
  })

  it('begin in UTC, across the turn of years', () => {
    const moment = new Date('2026-01-31T23:30:00-05:00')
    assert.equal(monthStart(moment).toISOString(), '2026-02-01T00:00:00.000Z')
    assert.equal(monthStart(moment, -14).toISOString(), '2024-12-01T00:00:00.000Z')
    assert.equal(monthStart(moment, 11).toISOString(), '2027-01-01T00:00:00.000Z')
  })
})
