import { UsageError } from './errors.js'

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const FORM = /^(\d{1,9})(ms|s|m|h|d)$/
/** A hundred years. Longer is a slip, and would lead out of the years that dates and PostgreSQL hold. */
const LONGEST_MS = 36_500 * UNITS.d

/**
 * Reads a duration as flags write it: `90s`, `15m`, `24h`, `14d`, `250ms` or `0`.
 * @returns milliseconds
 * Throws UsageError for anything else and for more than 36500d; the message does not repeat the text.
 */
export function parseDuration(text: string): number {
  if (text === '0') return 0
  const [, count, unit] = FORM.exec(text) ?? []
  if (count === undefined || unit === undefined)
    throw new UsageError(
      'bad-duration',
      'a duration is a whole number and a unit: 90s, 15m, 24h, 14d or 0',
    )
  const milliseconds = Number(count) * UNITS[unit as keyof typeof UNITS]
  if (milliseconds > LONGEST_MS)
    throw new UsageError('bad-duration', 'a duration is 36500d (a hundred years) at the longest')
  return milliseconds
}

/**
 * Writes a duration the way flags read it, in the largest unit that loses nothing: 5400000 is `90m`.
 * @param milliseconds a whole number, not negative
 */
export function formatDuration(milliseconds: number): string {
  if (milliseconds === 0) return '0'
  const unit =
    (['d', 'h', 'm', 's'] as const).find((name) => milliseconds % UNITS[name] === 0) ?? 'ms'
  return `${milliseconds / UNITS[unit]}${unit}`
}
