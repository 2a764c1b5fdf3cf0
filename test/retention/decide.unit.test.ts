import assert from 'node:assert/strict'
import { calendarOf } from '../../src/lib/retention/calendar.js'
import {
  decideRetention,
  type Copy,
  type KeepReason,
  type RetentionPolicy,
} from '../../src/lib/retention/decide.js'

const HOUR_MS = 3_600_000
const POLICY: RetentionPolicy = {
  withinMs: 0,
  hourly: 0,
  daily: 0,
  weekly: 0,
  monthly: 0,
  yearly: 0,
  timeZone: 'UTC',
}
const NOW = new Date('2026-11-25T12:00:00Z')

/** `2026-11-20T03` is whole; `?` behind it makes it partial, `!` proven, `<ID` needs another. */
const copy = (text: string): Copy => {
  const [, id = '', partial, proven, needs] = /^([^?!<]+)(\?)?(!)?(?:<(.+))?$/.exec(text) ?? []
  return {
    id,
    takenAt: new Date(`${id}:00:00Z`),
    isWhole: partial === undefined,
    isProven: proven !== undefined,
    needs: needs === undefined ? [] : [needs],
  }
}

const CASES: [
  name: string,
  policy: Partial<RetentionPolicy>,
  given: string[],
  kept: Record<string, KeepReason[]>,
][] = [
  ['no copy', { daily: 2 }, [], {}],
  [
    'three of one day, old, of which the first stands for it',
    { daily: 1 },
    ['2026-11-20T01', '2026-11-20T02', '2026-11-20T03'],
    { '2026-11-20T01': ['daily'], '2026-11-20T03': ['last whole one'] },
  ],
  [
    'old ones of which no more than enough remain',
    { daily: 3 },
    ['2019-01-01T00', '2020-01-01T00', '2021-01-01T00'],
    {
      '2019-01-01T00': ['daily'],
      '2020-01-01T00': ['daily'],
      '2021-01-01T00': ['last whole one', 'daily'],
    },
  ],
  [
    'more than enough of which one is young',
    { daily: 1, withinMs: 48 * HOUR_MS },
    ['2026-11-22T00', '2026-11-23T13', '2026-11-24T00', '2026-11-25T00'],
    {
      '2026-11-23T13': ['young'],
      '2026-11-24T00': ['young'],
      '2026-11-25T00': ['young', 'last whole one', 'daily'],
    },
  ],
  [
    'partial ones, which never count as enough',
    { daily: 2 },
    ['2026-11-19T00', '2026-11-20T00?', '2026-11-21T00', '2026-11-22T00?'],
    {
      '2026-11-19T00': ['daily'],
      '2026-11-21T00': ['last whole one', 'daily'],
      '2026-11-22T00': ['newer than any whole one'],
    },
  ],
  [
    'nothing whole at all',
    { daily: 1 },
    ['2026-11-19T00?', '2026-11-20T00?'],
    {
      '2026-11-19T00': ['newer than any whole one'],
      '2026-11-20T00': ['newer than any whole one'],
    },
  ],
  [
    'the last proven one, long ago',
    { daily: 1 },
    ['2025-01-01T00!', '2025-02-01T00!', '2026-11-20T00', '2026-11-21T00'],
    {
      '2025-02-01T00': ['last proven one'],
      '2026-11-21T00': ['last whole one', 'daily'],
    },
  ],
  [
    'a clock that was ahead',
    { daily: 2 },
    ['2026-11-19T00', '2026-11-20T00', '2027-11-20T00', '2027-11-21T00'],
    {
      '2026-11-19T00': ['daily'],
      '2026-11-20T00': ['last whole one', 'daily'],
      '2027-11-20T00': ['from the future', 'newer than any whole one'],
      '2027-11-21T00': ['from the future', 'newer than any whole one'],
    },
  ],
  [
    'copies that need others, which need others',
    { daily: 1 },
    [
      '2026-11-18T00',
      '2026-11-19T00<2026-11-18T00',
      '2026-11-20T00',
      '2026-11-21T00<2026-11-19T00',
    ],
    {
      '2026-11-18T00': ['needed by another'],
      '2026-11-19T00': ['needed by another'],
      '2026-11-21T00': ['last whole one', 'daily'],
    },
  ],
  [
    'weeks that begin on Monday, months and years',
    { weekly: 2, monthly: 2, yearly: 2 },
    ['2024-12-31T00', '2025-12-29T00', '2025-12-31T00', '2026-01-04T00', '2026-01-05T00'],
    {
      '2025-12-29T00': ['weekly', 'monthly', 'yearly'],
      '2026-01-04T00': ['monthly', 'yearly'],
      '2026-01-05T00': ['last whole one', 'weekly'],
    },
  ],
]

describe('deciding which copies are kept', () => {
  for (const [name, policy, given, kept] of CASES)
    it(`holds the policy against ${name}`, () => {
      const verdicts = decideRetention(given.map(copy), { ...POLICY, ...policy }, NOW)
      assert.deepEqual(
        verdicts.map(({ id }) => id),
        given.map((text) => copy(text).id),
      )
      const found = verdicts.filter(({ keptFor }) => keptFor.length > 0)
      assert.deepEqual(Object.fromEntries(found.map(({ id, keptFor }) => [id, keptFor])), kept)
    })

  it('refuses a policy that would keep nothing, and a zone that there is none of', () => {
    const decide = (policy: Partial<RetentionPolicy>) => () =>
      decideRetention([], { ...POLICY, ...policy }, NOW)
    assert.throws(decide({}), { code: 'keeps-nothing' })
    assert.throws(decide({ daily: -1, weekly: 3 }), { code: 'bad-retention' })
    assert.throws(decide({ daily: 1, timeZone: 'Europe/Nowhere' }), { code: 'bad-time-zone' })
  })

  it('numbers days by the zone and hours without a gap when its clocks are changed', () => {
    const berlin = calendarOf('Europe/Berlin')
    const [summer, winter] = [Date.UTC(2026, 2, 28, 23), Date.UTC(2026, 9, 24, 22)]
    for (const [midnight, hours] of [
      [summer, 23],
      [winter, 25],
    ] as const) {
      const numbers = Array.from({ length: hours + 1 }, (_, hour) =>
        berlin(new Date(midnight + hour * HOUR_MS)),
      )
      const [first] = numbers
      assert.ok(first)
      assert.equal(berlin(new Date(midnight - 1)).daily, first.daily - 1)
      assert.deepEqual(
        numbers.map(({ daily }) => daily - first.daily),
        [...Array.from({ length: hours }, () => 0), 1],
      )
      assert.deepEqual(
        numbers.map(({ hourly }) => hourly - first.hourly),
        numbers.map((_, hour) => hour),
      )
    }
  })
})
