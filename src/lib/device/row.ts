import type { Row } from '../rows/csv.js'
import type { Fault } from '../fault.js'
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
/** Reads rows of a factory's file, each on its own merits. */
export class DeviceRowReader {
  readonly #nowMs: number
  // Neighbouring rows mostly share these, so what was found out about the row before is kept.
  #goodModel = ''
  #goodBatch = ''
  #timeText = ''
  #time: number | Fault = 0
  #timeSql = ''

  /** @param now the present, by which a date lies in the future */
  constructor(now: Date) {
    this.#nowMs = now.getTime()
  }

  /** The device that a row describes, or why it describes none. */
  read(row: Row): DeviceRow | RejectedRow {
    const { line, raw, values } = row
    if (!values) return { line, raw, serial: null, ...row.fault }
    const [serial = '', model = '', batch = '', time = ''] = values
    if (serial === '' || model === '' || batch === '' || time === '')
      return rejected(row, serial, emptyField(values))
    if (!isSerial(serial)) return rejected(row, serial, BAD_SERIAL)
    if (model !== this.#goodModel) {
      if (!isLabel(model)) return rejected(row, serial, badLabel('model'))
      this.#goodModel = model
    }
    if (batch !== this.#goodBatch) {
      if (!isLabel(batch)) return rejected(row, serial, badLabel('batch'))
      this.#goodBatch = batch
    }
    if (time !== this.#timeText) this.#readTime(time)
    const manufacturedAt = this.#time
    if (typeof manufacturedAt !== 'number') return rejected(row, serial, manufacturedAt)
    return { line, raw, serial, model, batch, manufacturedAt, manufacturedAtSql: this.#timeSql }
  }

  #readTime(text: string): void {
    this.#timeText = text
    this.#time = readManufacturedAt(text, this.#nowMs)
    if (typeof this.#time === 'number') this.#timeSql = timeForSql(text, this.#time)
  }
}

function rejected({ line, raw }: Row, serial: string, fault: Fault): RejectedRow {
  return { line, raw, serial: serial.slice(0, SERIAL_EXCERPT), ...fault }
}

function emptyField(values: readonly string[]): Fault {
  const column = DEVICE_COLUMNS.find((_column, index) => values[index] === '')
  return { code: 'missing-field', reason: `${column} is empty` }
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
