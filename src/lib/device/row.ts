import type { Row } from '../rows/csv.js'
import type { Fault } from '../rows/lines.js'
import {
  BAD_SERIAL,
  badLabel,
  type DeviceSerial,
  isLabel,
  isSerial,
  readManufacturedAt,
} from './types.js'

/** The columns of a factory's file. */
export const DEVICE_COLUMNS = ['serial', 'model', 'batch', 'manufacturedAt'] as const

/** A row that describes a device as the registry wants it. */
export interface DeviceRow {
  line: number
  /** The row as it stood in the file. */
  raw: string
  serial: DeviceSerial
  model: string
  batch: string
  /** Milliseconds since 1970. */
  manufacturedAt: number
  /** The same moment as PostgreSQL reads it. */
  manufacturedAtSql: string
}

/** A row that is not registered, and why. */
export interface RejectedRow extends Fault {
  line: number
  /** The serial, where one could be read. */
  serial: string | null
  raw: string
}

/** How much of what stands in a serial's place is repeated. */
const SERIAL_EXCERPT = 80
/** Distinct models and batches remembered as good; a file has few. */
const LABELS_KEPT = 1000

/** Reads rows of a factory's file, each on its own merits. */
export class DeviceRowReader {
  readonly #nowMs: number
  readonly #labels = new Set<string>()

  /** @param now the present, by which a date lies in the future */
  constructor(now: Date) {
    this.#nowMs = now.getTime()
  }

  /** The device that a row describes, or why it describes none. */
  read(row: Row): DeviceRow | RejectedRow {
    const { line, raw, values } = row
    if (!values) return { line, raw, serial: null, ...row.fault }
    const [serial = '', model = '', batch = '', text = ''] = values
    const manufacturedAt = this.#judge(serial, model, batch, text)
    if (typeof manufacturedAt !== 'number')
      return { line, raw, serial: serial.slice(0, SERIAL_EXCERPT), ...manufacturedAt }
    const manufacturedAtSql = timeForSql(text, manufacturedAt)
    return {
      line,
      raw,
      serial: serial as DeviceSerial,
      model,
      batch,
      manufacturedAt,
      manufacturedAtSql,
    }
  }

  #judge(serial: string, model: string, batch: string, manufacturedAt: string): number | Fault {
    if (serial === '' || model === '' || batch === '' || manufacturedAt === '') {
      const index = [serial, model, batch, manufacturedAt].indexOf('')
      return { code: 'missing-field', reason: `${DEVICE_COLUMNS[index]} is empty` }
    }
    if (!isSerial(serial)) return BAD_SERIAL
    if (!this.#isLabel(model)) return badLabel('model')
    if (!this.#isLabel(batch)) return badLabel('batch')
    return readManufacturedAt(manufacturedAt, this.#nowMs)
  }

  #isLabel(text: string): boolean {
    if (this.#labels.has(text)) return true
    if (!isLabel(text)) return false
    if (this.#labels.size === LABELS_KEPT) this.#labels.clear()
    this.#labels.add(detached(text))
    return true
  }
}

/** The same text in memory of its own: a piece cut from a block would keep the whole block alive. */
export function detached(text: string): string {
  return Buffer.from(text).toString()
}

const DATE_LENGTH = '2026-01-31'.length

function timeForSql(text: string, at: number): string {
  if (text.length === DATE_LENGTH) return `${text}T00:00:00Z`
  // PostgreSQL would store microseconds, which no Date can hold and compare.
  return text.includes('.') ? new Date(at).toISOString() : text
}
