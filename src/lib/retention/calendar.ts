import { UsageError } from '../errors.js'

/** The periods of which one copy each is kept, shortest first. */
export const PERIODS = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const
/** One of {@link PERIODS}. */
export type Period = (typeof PERIODS)[number]

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** 1 January 1970 was a Thursday, and a week begins on Monday (ISO 8601). */
const DAYS_BEFORE_EPOCH = 3

/**
 * Numbers the hours, days, weeks, months and years of a time zone, so that two moments are in the same period when
 * they have the same number, and the next period has the next one. Hours are those of UTC: where a clock is set back
 * the hour that comes twice is two hours, and where it is set forward none is missing.
 * @param timeZone a name of the IANA database, `Europe/Berlin`
 * @throws UsageError for a name that is none
 */
export function calendarOf(timeZone: string): (at: Date) => Record<Period, number> {
  const format = formatOf(timeZone)
  return (at) => {
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]))
    const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0
    const [year, month, day] = [part('year'), part('month'), part('day')]
    const date = Date.UTC(year, month - 1, day) / DAY_MS
    return {
      hourly: Math.floor(at.getTime() / HOUR_MS),
      daily: date,
      weekly: Math.floor((date + DAYS_BEFORE_EPOCH) / 7),
      monthly: year * 12 + month - 1,
      yearly: year,
    }
  }
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  try {
    const options = { year: 'numeric', month: 'numeric', day: 'numeric' } as const
    return new Intl.DateTimeFormat('en-US', { timeZone, calendar: 'gregory', ...options })
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new UsageError('bad-time-zone', 'no time zone has this name', {
      suggestions: ['--time-zone Europe/Berlin', '--time-zone UTC'],
      cause: error,
    })
  }
}
