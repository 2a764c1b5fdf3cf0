import type { Step } from './types.js'

const DAY_MS = 86_400_000
/** So many bars are still told apart on a page. */
const MOST_DAYS = 62
const MOST_WEEKS = 78

/** The time that a report is about, and the steps of its charts. */
export interface Period {
  since: Date
  until: Date
  step: Step
}

/** The steps by which a time is told: days, for longer times weeks or months. Pure. */
export function periodOf(until: Date, lengthMs: number): Period {
  const days = lengthMs / DAY_MS
  const step = days <= MOST_DAYS ? 'day' : days <= MOST_WEEKS * 7 ? 'week' : 'month'
  return { since: new Date(until.getTime() - lengthMs), until, step }
}

/**
 * SQL for the steps of a period as rows `(first_day, ends_at)`; the last one ends with the period.
 * Wants the parameters $1 since, $2 until and $3 step.
 */
export const STEPS = `select to_char(first, 'YYYY-MM-DD') as first_day,
    first at time zone 'UTC' as begins_at,
    least((first + ('1 ' || $3)::interval) at time zone 'UTC', $2::timestamptz) as ends_at
  from generate_series(date_trunc($3, $1::timestamptz at time zone 'UTC'), $2::timestamptz at time zone 'UTC',
    ('1 ' || $3)::interval) as first`
