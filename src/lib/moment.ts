import { UsageError } from './errors.js'

const FORM = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/

/**
 * Reads a time of RFC 3339 with its offset, as flags write it: `2026-11-25T12:00:00Z`. Finer than a millisecond is
 * cut off.
 * Throws UsageError for anything else; the message does not repeat the text.
 */
export function parseMoment(text: string): Date {
  const moment = new Date(text)
  if (FORM.test(text) && !Number.isNaN(moment.getTime())) return moment
  throw new UsageError('bad-time', 'a time is written 2026-11-25T12:00:00Z, with its offset')
}
