import { NotFoundError } from '../errors.js'
import type { Queryable } from '../database/database.js'
import { selectAnySerial } from './store.js'

/** The error for serials that are not registered; suggests one that differs in case or leading zeros only. */
export async function unknownDevices(
  database: Queryable,
  serials: readonly string[],
): Promise<NotFoundError> {
  const near = await selectAnySerial(database, serials.flatMap(spellings))
  const message =
    serials.length === 1
      ? `no device has the serial ${serials[0]}`
      : `no devices have the serials ${serials.join(', ')}`
  return new NotFoundError('device-not-found', message, {
    suggestions:
      near === undefined
        ? ['cleverctl device list']
        : [`did you mean ${near}?`, `cleverctl device show ${near}`],
  })
}

/** Digits in a row, as many as a serial's number has. */
const DIGIT_COUNTS = [2, 3, 4, 5, 6, 7, 8]

/** How a person may have meant it: in capitals or small letters, with more or fewer leading zeros. */
function spellings(serial: string): string[] {
  const [, prefix = '', number] = /^(.*?)0*(\d+)$/.exec(serial) ?? []
  const padded =
    number === undefined ? [] : DIGIT_COUNTS.map((count) => prefix + number.padStart(count, '0'))
  return [serial, ...padded].flatMap((text) => [text.toUpperCase(), text.toLowerCase()])
}
