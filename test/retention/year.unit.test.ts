import assert from 'node:assert/strict'
import { calendarOf, PERIODS, type Period } from '../../src/lib/retention/calendar.js'
import { decideRetention, type Copy, type RetentionPolicy } from '../../src/lib/retention/decide.js'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const FROM = Date.UTC(2026, 0, 1)
const TO = Date.UTC(2027, 0, 1)

const policy = (timeZone: string): RetentionPolicy => ({
  withinMs: 24 * HOUR_MS,
  hourly: 36,
  daily: 14,
  weekly: 8,
  monthly: 12,
  yearly: 3,
  timeZone,
})

const taken = (at: number): Copy => ({
  id: new Date(at).toISOString(),
  takenAt: new Date(at),
  isWhole: true,
  isProven: false,
  needs: [],
})

/** A year in which copies are made and, six hours apart, those go that may. */
class Year {
  copies: Copy[] = []
  readonly #policy: RetentionPolicy

  constructor(timeZone: string) {
    this.#policy = policy(timeZone)
  }

  /** @returns how many went */
  prune(now: number): number {
    const verdicts = decideRetention(this.copies, this.#policy, new Date(now))
    const kept = new Set(verdicts.filter(({ keptFor }) => keptFor.length > 0).map(({ id }) => id))
    const before = this.copies.length
    this.copies = this.copies.filter(({ id }) => kept.has(id))
    return before - this.copies.length
  }

  /** One copy an hour, but for those that fail. */
  run(hasFailed: (at: number) => boolean = () => false): void {
    for (let at = FROM; at <= TO; at += HOUR_MS) {
      if (!hasFailed(at)) this.copies.push(taken(at))
      if (at % (6 * HOUR_MS) === 0) this.prune(at)
    }
  }
}

const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu']

describe('a simulated year of copies', () => {
  for (const timeZone of ZONES)
    it(`keeps in ${timeZone} what one look at the end of it would have kept`, () => {
      const pruned = new Year(timeZone)
      pruned.run()
      const whole = new Year(timeZone)
      for (let at = FROM; at <= TO; at += HOUR_MS) whole.copies.push(taken(at))
      const gone = whole.prune(TO)
      assert.deepEqual(pruned.copies, whole.copies)
      assert.equal(gone, 365 * 24 + 1 - whole.copies.length)
      // The year, 12 months, 8 weeks, 14 days and 36 hours, of which some are the same copy.
      const count = calendarOf(timeZone)
      for (const period of PERIODS) {
        const numbers = new Set(pruned.copies.map(({ takenAt }) => count(takenAt)[period]))
        assert.ok(numbers.size >= (period === 'yearly' ? 1 : policy(timeZone)[period]), period)
      }
    })

  it('lets nothing go while no new copies are made, however much time passes', () => {
    const year = new Year('Europe/Berlin')
    const stopped = Date.UTC(2026, 5, 1)
    year.run((at) => at > stopped)
    const last = year.copies.at(-1)?.takenAt.getTime()
    assert.equal(last, stopped)
    // All but what was kept for being young stays.
    const count = calendarOf('Europe/Berlin')
    const months = new Set(year.copies.map(({ takenAt }) => count(takenAt).monthly))
    const days = new Set(year.copies.map(({ takenAt }) => count(takenAt).daily))
    assert.deepEqual([months.size, days.size >= 14, year.copies.length > 36], [6, true, true])
  })

  /** What stands for the days before and after a change of clocks, at noon some days later. */
  const CHANGES: [timeZone: string, change: string, noon: string, midnights: string[]][] = [
    [
      'Europe/Berlin',
      'forward',
      '2026-03-31T12:00Z',
      ['03-27T23:00', '03-28T23:00', '03-29T22:00', '03-30T22:00'],
    ],
    [
      'Europe/Berlin',
      'back',
      '2026-10-27T12:00Z',
      ['10-23T22:00', '10-24T22:00', '10-25T23:00', '10-26T23:00'],
    ],
    [
      'America/New_York',
      'forward',
      '2026-03-10T12:00Z',
      ['03-07T05:00', '03-08T05:00', '03-09T04:00', '03-10T04:00'],
    ],
    [
      'America/New_York',
      'back',
      '2026-11-03T12:00Z',
      ['10-31T04:00', '11-01T04:00', '11-02T05:00', '11-03T05:00'],
    ],
    [
      'Australia/Lord_Howe',
      'back, by half an hour',
      '2026-04-07T12:00Z',
      ['04-03T13:00', '04-04T13:00', '04-05T13:30', '04-06T13:30'],
    ],
    [
      'Australia/Lord_Howe',
      'forward, by half an hour',
      '2026-10-06T12:00Z',
      ['10-02T13:30', '10-03T13:30', '10-04T13:00', '10-05T13:00'],
    ],
  ]
  for (const [timeZone, change, noon, midnights] of CHANGES)
    it(`keeps the first of every day and every hour in ${timeZone} when clocks are set ${change}`, () => {
      const now = new Date(noon)
      const copies = Array.from({ length: 14 * 24 * 4 }, (_, quarter) =>
        taken(now.getTime() - quarter * 15 * MINUTE_MS),
      )
      const wanted = { ...policy(timeZone), withinMs: 0, hourly: 14 * 24, daily: 4 }
      const verdicts = decideRetention(copies, wanted, now)
      const standing = (period: Period) =>
        verdicts.filter(({ keptFor }) => keptFor.includes(period)).map(({ id }) => id)
      assert.deepEqual(
        standing('daily'),
        midnights.map((at) => `2026-${at}:00.000Z`),
      )
      // The oldest hour is not there from its beginning.
      const [first = '', ...hours] = standing('hourly')
      assert.equal(hours.length, 14 * 24 - 1)
      for (const [index, id] of hours.entries())
        assert.equal(Date.parse(id) % HOUR_MS, 0, `${first} and hour ${index}`)
    })
})
