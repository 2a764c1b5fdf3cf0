import { UsageError } from './errors.js'

const FORM = /^(\d{1,4})(mo|y)$/
/** A hundred years. */
const LONGEST = 1_200

/**
 * Reads a number of calendar months as flags write it: `24mo` or `2y`.
 * @returns months, 1 to 1200
 * Throws UsageError for anything else; the message does not repeat the text.
 */
export function parseMonths(text: string): number {
  const [, count, unit] = FORM.exec(text) ?? []
  const months = Number(count) * (unit === 'y' ? 12 : 1)
  if (unit === undefined || months < 1 || months > LONGEST)
    throw new UsageError('bad-months', 'months are written 1mo to 1200mo, or 1y to 100y')
  return months
}

/**
 * The first moment of a month in UTC.
 * @param ahead months after that of `moment`; before it where negative
 */
export function monthStart(moment: Date, ahead = 0): Date {
  return new Date(Date.UTC(moment.getUTCFullYear(), moment.getUTCMonth() + ahead, 1))
}
