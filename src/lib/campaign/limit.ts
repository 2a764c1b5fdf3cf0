import { UsageError } from '../errors.js'

/** How many may be in a bad way: a share in hundredths, or a number. */
export type Limit = { percent: number } | { count: number }

/** One plant in fifty may have a trouble of its own; more have one in common. */
export const DEFAULT_MAX_FAILURES: Limit = { percent: 2 }

/**
 * Reads a limit as flags write it: `2%`, or `5`.
 * Throws UsageError for anything else; the message does not repeat the text.
 */
export function parseLimit(text: string): Limit {
  const [, digits, sign] = /^(\d{1,7})(%?)$/.exec(text) ?? []
  const value = Number(digits)
  if (digits === undefined || (sign === '%' && value > 100))
    throw new UsageError('bad-limit', 'a limit is a share or a number of targets: 2% or 5')
  return sign === '%' ? { percent: value } : { count: value }
}

/** A limit as flags write it. */
export function formatLimit(limit: Limit): string {
  return 'percent' in limit ? `${limit.percent}%` : String(limit.count)
}

/** Whether `bad` of `total` are more than the limit allows. */
export function isOver(limit: Limit, bad: number, total: number): boolean {
  return 'percent' in limit ? bad * 100 > total * limit.percent : bad > limit.count
}
