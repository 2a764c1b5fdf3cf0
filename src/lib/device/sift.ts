import type { DeviceRow, RejectedRow } from './row.js'

/** A serial that the registry has, as far as a row is compared with it. */
export interface KnownDevice {
  id: number
  model: string
  batch: string
  /** Milliseconds since 1970. */
  manufacturedAt: number
  /** It was registered by this very run. */
  isOfThisRun: boolean
}

/** What is to be done with rows, in their order. */
export interface Sifted {
  fresh: DeviceRow[]
  unchanged: number
  rejected: RejectedRow[]
}

/** Devices by id, one bit each: ten million take little more than a megabyte. */
export class DeviceIdSet {
  static readonly #PAGE_BITS = 1 << 15
  readonly #pages = new Map<number, Uint8Array>()

  /** Adds a device. @returns false when it was in the set already */
  add(id: number): boolean {
    const number = Math.floor(id / DeviceIdSet.#PAGE_BITS)
    const bit = id % DeviceIdSet.#PAGE_BITS
    const page = this.#pages.get(number) ?? new Uint8Array(DeviceIdSet.#PAGE_BITS / 8)
    this.#pages.set(number, page)
    const byte = page[bit >> 3] ?? 0
    page[bit >> 3] = byte | (1 << (bit & 7))
    return (byte & (1 << (bit & 7))) === 0
  }
}

/**
 * Decides for each row whether its device is new, known and the same, or refused.
 * @param known the registered ones among the rows' serials
 * @param met the registered devices that earlier rows of this run named; grows
 * @param isTimeGiven false where the time of manufacture is only a default and not compared
 */
export function siftDevices(
  rows: readonly DeviceRow[],
  known: ReadonlyMap<string, KnownDevice>,
  met: DeviceIdSet,
  isTimeGiven: boolean,
): Sifted {
  const sifted: Sifted = { fresh: [], unchanged: 0, rejected: [] }
  const serials = new Set<string>()
  for (const row of rows) {
    const device = known.get(row.serial)
    const isRepeated = device
      ? device.isOfThisRun || !met.add(device.id)
      : serials.size === serials.add(row.serial).size
    if (isRepeated) {
      const reason = 'the serial stands in an earlier row'
      sifted.rejected.push(rejected(row, 'duplicate-serial', reason))
    } else if (device) {
      const difference = differenceOf(row, device, isTimeGiven)
      if (difference === undefined) sifted.unchanged += 1
      else sifted.rejected.push(rejected(row, 'registered-differently', difference))
    } else {
      sifted.fresh.push(row)
    }
  }
  return sifted
}

function differenceOf(
  row: DeviceRow,
  device: KnownDevice,
  isTimeGiven: boolean,
): string | undefined {
  if (row.model !== device.model) return `it is registered as model ${device.model}`
  if (row.batch !== device.batch) return `it is registered with batch ${device.batch}`
  if (!isTimeGiven || row.manufacturedAt === device.manufacturedAt) return undefined
  return `it is registered as made at ${new Date(device.manufacturedAt).toISOString()}`
}

function rejected(row: DeviceRow, code: string, reason: string): RejectedRow {
  return { line: row.line, raw: row.raw, serial: row.serial, code, reason }
}
