import assert from 'node:assert/strict'
import { formatLimit, parseLimit, type Limit } from '../../src/lib/campaign/limit.js'
import { stopReason, type Course } from '../../src/lib/campaign/stop-rule.js'
import { ONE_WAVE } from '../../src/lib/campaign/waves.js'
import { UsageError } from '../../src/lib/errors.js'

const CALM: Course = { failedInWave: 0, targetsInWave: 0, failed: 0, done: 0, refused: 0 }

function reason(limits: { failures: string; refusals?: string }, course: Partial<Course>) {
  const maxRefusals: Limit | null = limits.refusals ? parseLimit(limits.refusals) : null
  const pace = {
    waves: ONE_WAVE,
    maxFailures: parseLimit(limits.failures),
    maxRefusals,
    wavePauseMs: 0,
    jitterMs: 0,
    window: null,
  }
  return stopReason({ wave: 2, pace }, { ...CALM, ...course })
}

describe('the stop rule', () => {
  const cases: [
    name: string,
    limits: Parameters<typeof reason>[0],
    course: Partial<Course>,
    stops: boolean,
  ][] = [
    ['lets a campaign go on where nothing failed', { failures: '0' }, {}, false],
    [
      'stops at the one target of a first wave',
      { failures: '2%' },
      { failed: 1, failedInWave: 1, targetsInWave: 1 },
      true,
    ],
    [
      'allows exactly its share of a wave',
      { failures: '2%' },
      { failed: 2, failedInWave: 2, targetsInWave: 100 },
      false,
    ],
    [
      'stops at one more',
      { failures: '2%' },
      { failed: 3, failedInWave: 3, targetsInWave: 100 },
      true,
    ],
    [
      'does not count failures of earlier waves in a share',
      { failures: '2%' },
      { failed: 50, failedInWave: 2, targetsInWave: 100 },
      false,
    ],
    [
      'counts them in a number',
      { failures: '5' },
      { failed: 6, failedInWave: 0, targetsInWave: 100 },
      true,
    ],
    [
      'allows exactly its number',
      { failures: '5' },
      { failed: 5, failedInWave: 5, targetsInWave: 5 },
      false,
    ],
    [
      'never stops at 100%',
      { failures: '100%' },
      { failed: 9, failedInWave: 9, targetsInWave: 9 },
      false,
    ],
    [
      'ignores refusals that it was not asked to look at',
      { failures: '2%' },
      { done: 10, refused: 10 },
      false,
    ],
    [
      'allows its share of refused targets',
      { failures: '2%', refusals: '5%' },
      { done: 100, refused: 5 },
      false,
    ],
    [
      'stops when refusals rise at more',
      { failures: '2%', refusals: '5%' },
      { done: 100, refused: 6 },
      true,
    ],
    [
      'stops at the first refused target where none is allowed',
      { failures: '2%', refusals: '0' },
      { done: 100, refused: 1 },
      true,
    ],
  ]
  for (const [name, limits, course, stops] of cases) {
    it(name, () => assert.equal(reason(limits, course) !== undefined, stops))
  }

  it('says what was too much', () => {
    assert.equal(
      reason({ failures: '2%' }, { failed: 3, failedInWave: 3, targetsInWave: 100 }),
      'failures: 3 of 100 in wave 2, more than 2%',
    )
    assert.equal(
      reason({ failures: '2', refusals: '5%' }, { done: 9, refused: 1 }),
      'refusals at the gate rose at 1 of 9 targets, more than 5%',
    )
  })

  it('reads limits as they are written, and nothing else', () => {
    for (const text of ['0', '5', '0%', '2%', '100%'])
      assert.equal(formatLimit(parseLimit(text)), text)
    for (const text of ['', '-1', '101%', '2.5%', '%', 'many'])
      assert.throws(() => parseLimit(text), UsageError)
  })
})
