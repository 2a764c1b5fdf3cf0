import { UsageError } from './errors.js'

/**
 * Reads a share as flags write it: `1%` to `100%`.
 * @returns hundredths
 * Throws UsageError for anything else; the message does not repeat the text.
 */
export function parsePercent(text: string): number {
  const [, digits] = /^(\d{1,3})%$/.exec(text) ?? []
  const percent = Number(digits)
  if (digits === undefined || percent < 1 || percent > 100)
    throw new UsageError('bad-percent', 'a share is written 1% to 100%')
  return percent
}
