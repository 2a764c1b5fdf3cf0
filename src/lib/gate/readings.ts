/** One measurement, as it is stored. */
export interface Reading {
  /** When it was measured, in microseconds since 1970: as fine as PostgreSQL keeps time. */
  atMicros: number
  values: Record<string, number>
}

/** The body of `POST /v1/data`, as the schema lets it through. */
export interface ReadingsBody {
  readings: { at: string; values: Record<string, number> }[]
}

const READINGS_MAX = 1_000
const VALUES_MAX = 100
const NAME_MAX = 64

/** The longest `at` that the format below allows is shorter. */
const AT_MAX = 40

/** Loggers' clocks are wrong at times; further ahead a reading would hide later ones. */
const AHEAD_MAX_MS = 60 * 60_000
/** A logger that was offline for a year still delivers. */
const AGE_MAX_MS = 400 * 24 * 60 * 60_000

/** JSON schema of the body, compiled by Fastify. What it does not name is refused. */
export const READINGS_SCHEMA = {
  type: 'object',
  required: ['readings'],
  additionalProperties: false,
  properties: {
    readings: {
      type: 'array',
      minItems: 1,
      maxItems: READINGS_MAX,
      items: {
        type: 'object',
        required: ['at', 'values'],
        additionalProperties: false,
        properties: {
          at: { type: 'string', maxLength: AT_MAX },
          values: {
            type: 'object',
            minProperties: 1,
            maxProperties: VALUES_MAX,
            additionalProperties: { type: 'number' },
          },
        },
      },
    },
  },
} as const

/** A body that has the right shape and cannot be taken in all the same. The message names the place, not the value. */
export class BadReadingError extends Error {
  override readonly name = 'BadReadingError'
}

/**
 * Reads what the schema cannot check: times and names.
 * @param nowMs the present, in milliseconds since 1970
 * @throws BadReadingError
 */
export function readReadings(body: ReadingsBody, nowMs: number): Reading[] {
  return body.readings.map(({ at, values }, index) => {
    const atMicros = readTime(at)
    const place = `readings[${index}]`
    if (atMicros === undefined) {
      throw new BadReadingError(`${place}.at is no RFC 3339 time with an offset`)
    }
    if (atMicros > (nowMs + AHEAD_MAX_MS) * 1000) {
      throw new BadReadingError(`${place}.at lies more than an hour in the future`)
    }
    if (atMicros < (nowMs - AGE_MAX_MS) * 1000) {
      throw new BadReadingError(`${place}.at lies more than 400 days in the past`)
    }
    for (const name in values) {
      if (!isName(name)) {
        throw new BadReadingError(
          `${place}.values has a name that is not 1 to ${NAME_MAX} printable characters`,
        )
      }
    }
    return { atMicros, values }
  })
}

const ASCII_NAME = /^[ -~]{1,64}$/
// Control characters, halves of surrogate pairs and unassigned code points: PostgreSQL refuses some of
// them in jsonb, and none of them can be read.
const UNPRINTABLE = /\p{C}/u

function isName(name: string): boolean {
  if (ASCII_NAME.test(name)) return true
  return name !== '' && [...name].length <= NAME_MAX && !UNPRINTABLE.test(name)
}

const RFC_3339 =
  /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,12}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/

/**
 * An RFC 3339 time in microseconds since 1970; finer digits are cut off. The 60th second of a leap
 * second is the next minute's first. Undefined for everything else.
 */
export function readTime(text: string): number | undefined {
  const match = RFC_3339.exec(text)
  if (match === null) return undefined
  const [, year, month, day, hour, minute, second, fraction, sign, offsetHour, offsetMinute] = match
  const [y, m, d] = [Number(year), Number(month), Number(day)]
  if (m < 1 || m > 12 || d < 1 || (d > 28 && d > daysIn(y, m))) return undefined
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined
  let ms = Date.UTC(y, m - 1, d, Number(hour), Number(minute), Number(second))
  // Date.UTC takes the years 0 to 99 for the twentieth century.
  if (y < 100) return undefined
  if (sign !== undefined) {
    if (Number(offsetHour) > 23 || Number(offsetMinute) > 59) return undefined
    const offset = (Number(offsetHour) * 60 + Number(offsetMinute)) * 60_000
    ms += sign === '+' ? -offset : offset
  }
  const micros = fraction === undefined ? 0 : Number(fraction.slice(0, 6).padEnd(6, '0'))
  return ms * 1000 + micros
}

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate()
}
