/** Where exactly a device was mounted: in words, or as the phone measured it. */
export type Position =
  string | { latitude: number; longitude: number; accuracyMetres?: number | undefined }

/** A phone's clock is believed within this much. */
export const CLOCK_SKEW_MS = 60_000

const POSITION_TEXT_MAX = 200
/** Half the Earth's circumference: an accuracy beyond it says nothing. */
const ACCURACY_MAX = 20_000_000

const isWithin = (value: unknown, min: number, max: number): value is number =>
  typeof value === 'number' && value >= min && value <= max

/**
 * Reads a position that came from outside: a line of at most 200 characters, or
 * `{latitude, longitude, accuracyMetres?}` and nothing else. Undefined when it is neither.
 */
export function readPosition(value: unknown): Position | undefined {
  if (typeof value === 'string') {
    const text = value.trim()
    if (text !== '' && text.length <= POSITION_TEXT_MAX && isStorable(text)) return text
  } else if (typeof value === 'object' && value !== null) {
    const { latitude, longitude, accuracyMetres, ...rest } = value as Record<string, unknown>
    if (
      isWithin(latitude, -90, 90) &&
      isWithin(longitude, -180, 180) &&
      (accuracyMetres === undefined || isWithin(accuracyMetres, 0, ACCURACY_MAX)) &&
      Object.keys(rest).length === 0
    ) {
      return { latitude, longitude, ...(accuracyMetres === undefined ? {} : { accuracyMetres }) }
    }
  }
  return undefined
}

/** Whether PostgreSQL can hold a text as one line: no control characters, no halves of a surrogate pair. */
const isStorable = (text: string): boolean => !/[\p{Cc}\p{Cs}]/u.test(text)

/** Why a placement or a removal was refused. For the log and the metrics. */
export type PlacementRefusal =
  | 'installer-unknown'
  | 'installer-disabled'
  | 'installation-unknown'
  | 'installation-retired'
  | 'not-assigned'
  | 'device-unknown'
  | 'device-revoked'
  | 'at-in-future'
  | 'at-before-manufacture'
  | 'position-invalid'

/** Why a placement contradicts what is on record. */
export type PlacementConflict =
  /** The device stands at another installation. */
  | 'stands-elsewhere'
  /** At the time given, the device was still on record at an installation it has left since. */
  | 'stood-elsewhere'
