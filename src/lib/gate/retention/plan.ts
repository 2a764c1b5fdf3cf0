import { UsageError } from '../../errors.js'
import { monthStart } from '../../months.js'
import type { MonthAction, MonthTable } from './types.js'

/**
 * Gates take in readings of the last 400 days. Fourteen whole months before the present one are always more,
 * so a reading of a month that is gone is refused at the gate before it can be acknowledged.
 */
const KEEP_MIN_MONTHS = 14

/**
 * The moment from which readings are kept.
 * @param months whole months before the present one, in UTC
 * @throws UsageError when gates could still take in readings from before it
 */
export function keepFrom(now: Date, months: number): Date {
  if (months < KEEP_MIN_MONTHS) {
    throw new UsageError(
      'keep-too-short',
      `gates take in readings that are up to 400 days old, so ${KEEP_MIN_MONTHS}mo is the least to keep`,
      { suggestions: [`cleverctl gate retention --keep ${KEEP_MIN_MONTHS}mo`] },
    )
  }
  return monthStart(now, -months)
}

/**
 * What is to become of a month's table.
 * @param asked.keepFrom undefined where nothing is to go
 * @param asked.drop whether what goes is dropped, or kept beside as a table by itself
 */
export function planMonth(
  { month, state }: Pick<MonthTable, 'month' | 'state'>,
  asked: { keepFrom: Date | undefined; drop: boolean },
): MonthAction {
  if (asked.keepFrom === undefined) return 'keep'
  const isOld = new Date(`${month}-01T00:00:00Z`) < asked.keepFrom
  if (isOld && asked.drop) return 'drop'
  // An interrupted detachment can only be finished: PostgreSQL has no way back.
  if (state === 'detaching') return 'detach'
  return isOld && state === 'attached' ? 'detach' : 'keep'
}
