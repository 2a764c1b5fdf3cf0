import { NotFoundError, UsageError } from '../errors.js'
import type { Fault } from '../fault.js'

/** What is known about a plant, beside its devices. */
export interface InstallationFacts {
  code: string
  name: string
  /** IANA name, e.g. Europe/Madrid. */
  timezone: string
  /** Degrees north. */
  latitude: number
  /** Degrees east. */
  longitude: number
}

/** A retired installation takes no data in any more, for good. */
export type InstallationState = 'active' | 'retired'

/** All states, for flags. */
export const INSTALLATION_STATES: readonly InstallationState[] = ['active', 'retired']

const CODE_FORM = /^[a-z0-9][a-z0-9-]{1,62}$/
const NAME_MAX = 200
const ZONE_FORM = /^[A-Za-z][A-Za-z0-9_+/-]*$/
const NUMBER_FORM = /^[+-]?\d{1,3}(?:\.\d{1,12})?$/
const DEGREES = { latitude: 90, longitude: 180 } as const

/** What is wrong with a code; undefined for a good one. */
export function faultOfCode(code: string): Fault | undefined {
  if (CODE_FORM.test(code)) return undefined
  const reason =
    'a code is 2 to 63 small letters, digits and hyphens, the first no hyphen: solar-0042'
  return { code: 'bad-code', reason }
}

/** What is wrong with a name; undefined for a good one. */
export function faultOfName(name: string): Fault | undefined {
  if (
    name.length >= 1 &&
    name.length <= NAME_MAX &&
    name === name.trim() &&
    !/[\p{Cc}\p{Cs}]/u.test(name)
  )
    return undefined
  const reason = `a name is 1 to ${NAME_MAX} characters on one line, without spaces round it`
  return { code: 'bad-name', reason }
}

/** What is wrong with a time zone; undefined for one that this machine knows. */
export function faultOfTimezone(timezone: string): Fault | undefined {
  try {
    // A bare offset is taken by Intl too, but knows no summer time.
    if (ZONE_FORM.test(timezone) && new Intl.DateTimeFormat('en', { timeZone: timezone }))
      return undefined
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  return { code: 'bad-timezone', reason: 'the time zone is no IANA name such as Europe/Madrid' }
}

/** A time zone in IANA's capitals, however it was typed; older names stay what they are. */
export function spelledTimezone(timezone: string): string {
  const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: timezone }).resolvedOptions()
  return timeZone.toLowerCase() === timezone.toLowerCase() ? timeZone : timezone
}

/** A latitude or longitude in degrees, or what is wrong with it. */
export function readDegrees(axis: keyof typeof DEGREES, text: string): number | Fault {
  const degrees = Number(text)
  if (NUMBER_FORM.test(text) && Math.abs(degrees) <= DEGREES[axis]) return degrees
  const reason = `a ${axis} is a number of degrees from -${DEGREES[axis]} to ${DEGREES[axis]}, such as -2.46`
  return { code: `bad-${axis}`, reason }
}

/**
 * A latitude or longitude as a person typed it.
 * @throws UsageError when it is none
 */
export function parseDegrees(axis: keyof typeof DEGREES, text: string): number {
  const degrees = readDegrees(axis, text)
  if (typeof degrees === 'number') return degrees
  throw new UsageError(degrees.code, degrees.reason)
}

/** Which of the facts differ, in words; undefined when all are the same. */
export function differenceOf(one: InstallationFacts, other: InstallationFacts): string | undefined {
  const fields = ['name', 'timezone', 'latitude', 'longitude'] as const
  const different = fields.filter((field) => one[field] !== other[field])
  return different.length === 0 ? undefined : different.join(', ')
}

/** The error for codes nobody gave. */
export function unknownInstallation(...codes: readonly string[]): NotFoundError {
  const named = codes.map((code) => JSON.stringify(code.slice(0, 80))).join(', ')
  return new NotFoundError('installation-not-found', `no installation is called ${named}`, {
    suggestions: ['cleverctl installation list'],
  })
}
