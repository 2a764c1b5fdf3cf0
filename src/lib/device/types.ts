import { UsageError } from '../errors.js'
import type { Fault } from '../fault.js'

declare const serialBrand: unique symbol

/** A device's serial, as it is printed on the device. Compared letter by letter, case included. */
export type DeviceSerial = string & { readonly [serialBrand]: true }

/**
 * Where a device is in its life. `removed` stood somewhere and stands nowhere now; `revoked` is
 * for good, wherever it stands.
 */
export type DeviceState = 'manufactured' | 'installed' | 'removed' | 'revoked'

/** All states, for flags. */
export const DEVICE_STATES: readonly DeviceState[] = [
  'manufactured',
  'installed',
  'removed',
  'revoked',
]

// Letters that need no escaping in a URL, in CSV, on a label and in a spreadsheet. Shorter than a
// device's secret (55 characters, formerly 43), so that one sent in a serial's place is never written down as such.
const SERIAL_FORM = /^[A-Za-z0-9][A-Za-z0-9._-]{2,39}$/

/** The rule a serial keeps, for messages. */
const SERIAL_RULE =
  '3 to 40 letters, digits, dots, hyphens and underscores, the first a letter or digit'

/** Whether the text has the form of a serial. */
export function isSerial(text: string): text is DeviceSerial {
  return SERIAL_FORM.test(text)
}

/**
 * A serial as a person typed it.
 * @throws UsageError when it has no serial's form
 */
export function parseSerial(text: string): DeviceSerial {
  if (isSerial(text)) return text
  throw new UsageError('bad-serial', `not a serial: ${JSON.stringify(text.slice(0, 80))}`, {
    suggestions: [`a serial is ${SERIAL_RULE}: CDX-000123`],
  })
}

/** What is wrong with a serial. */
export const BAD_SERIAL: Fault = { code: 'bad-serial', reason: `a serial is ${SERIAL_RULE}` }

// The first character is a letter or digit: a spreadsheet runs what starts with = + - or @. No
// control characters; every other visible character may follow.
const LABEL_FORM =
  /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}\p{P}\p{S} ]{0,98}[\p{L}\p{M}\p{N}\p{P}\p{S}])?$/u

/** Whether the text can name a model or a batch: 1 to 100 visible characters, the first a letter or digit. */
export function isLabel(text: string): boolean {
  return LABEL_FORM.test(text)
}

/** Why a model or batch is refused. */
export function badLabel(field: 'model' | 'batch'): Fault {
  const reason = `a ${field} is 1 to 100 visible characters, the first a letter or digit`
  return { code: `bad-${field}`, reason }
}

const DATE =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?:T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d))?$/i
const DATE_LENGTH = '2026-01-31'.length
/** A clock that lost its battery says 1970 or 1980; nothing was made before the first of our loggers. */
const EARLIEST_MS = Date.UTC(2000, 0, 1)
/** A date without a time zone may be tomorrow's, seen from UTC; the easternmost zone is 14 h ahead. */
const DATE_AHEAD_MS = 14 * 3_600_000
/** A factory's clock may be a little fast. */
const TIME_AHEAD_MS = 5 * 60_000

/**
 * When a device was made: a date (midnight UTC) or a time of RFC 3339. Finer than a millisecond is cut off.
 * @param nowMs the present, in milliseconds since 1970
 * @returns milliseconds since 1970, or what is wrong
 */
export function readManufacturedAt(text: string, nowMs: number): number | Fault {
  if (!DATE.test(text) || !isInMonth(text)) return BAD_DATE
  const at = Date.parse(text)
  if (!(at >= EARLIEST_MS))
    return { code: 'bad-date', reason: 'manufacturedAt lies before the year 2000' }
  const ahead = text.length === DATE_LENGTH ? DATE_AHEAD_MS : TIME_AHEAD_MS
  return at <= nowMs + ahead
    ? at
    : { code: 'future-date', reason: 'manufacturedAt lies in the future' }
}

const BAD_DATE: Fault = {
  code: 'bad-date',
  reason: 'manufacturedAt is a date (2026-01-31) or a time (2026-01-31T08:30:00Z)',
}

/** Whether the month has that day. `Date.parse` would take 30 February for 2 March. */
function isInMonth(text: string): boolean {
  const day = Number(text.slice(8, 10))
  return (
    day <= 28 ||
    day <= new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0)).getUTCDate()
  )
}
