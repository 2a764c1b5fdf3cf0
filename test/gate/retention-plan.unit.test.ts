import assert from 'node:assert/strict'
import { UsageError } from '../../src/lib/errors.js'
import { BadReadingError, readReadings } from '../../src/lib/gate/readings.js'
import { keepFrom, planMonth } from '../../src/lib/gate/retention/plan.js'
import type { MonthAction, MonthState } from '../../src/lib/gate/retention/types.js'

describe('what becomes of a month of readings', () => {
  const from = new Date('2024-11-01T00:00:00Z')
  const table: readonly [string, string, MonthState, boolean, MonthAction][] = [
    ['the first month kept', '2024-11', 'attached', false, 'keep'],
    ['the last month that goes', '2024-10', 'attached', false, 'detach'],
    ['one that goes for good', '2024-10', 'attached', true, 'drop'],
    ['one kept although others go for good', '2024-11', 'attached', true, 'keep'],
    ['one detached before', '2024-10', 'detached', false, 'keep'],
    ['one detached before, to go for good', '2024-10', 'detached', true, 'drop'],
    ['an interrupted detachment', '2024-10', 'detaching', false, 'detach'],
    ['an interrupted detachment, to go for good', '2024-10', 'detaching', true, 'drop'],
    ['an interrupted one that is younger now', '2025-01', 'detaching', true, 'detach'],
  ]
  for (const [name, month, state, drop, want] of table) {
    it(`${name}: ${want}`, () => {
      assert.equal(planMonth({ month, state }, { keepFrom: from, drop }), want)
    })
  }

  it('is nothing where nothing is asked for', () => {
    for (const state of ['attached', 'detaching', 'detached'] as const)
      assert.equal(
        planMonth({ month: '2001-01', state }, { keepFrom: undefined, drop: true }),
        'keep',
      )
  })

  it('is not asked for less than gates take in', () => {
    const now = new Date('2026-11-25T12:00:00Z')
    assert.throws(
      () => keepFrom(now, 13),
      (error) => error instanceof UsageError && /14mo/.test(error.message),
    )
    assert.equal(keepFrom(now, 14).toISOString(), '2025-09-01T00:00:00.000Z')
  })

  it('leaves no day on which a gate takes in a reading of a month that is gone', () => {
    const body = (at: Date) => ({ readings: [{ at: at.toISOString(), values: { a: 1 } }] })
    for (let day = 0; day < 1_500; day += 1) {
      const now = Date.UTC(2023, 0, 1) + day * 86_400_000
      const gone = new Date(keepFrom(new Date(now), 14).getTime() - 1)
      assert.throws(() => readReadings(body(gone), now), BadReadingError)
      // Nor one whose gate is a week behind.
      assert.throws(() => readReadings(body(gone), now - 7 * 86_400_000), BadReadingError)
    }
  })
})
