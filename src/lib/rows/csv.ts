import { UsageError } from '../errors.js'
import type { Fault } from '../fault.js'
import { MAX_LINE_BYTES, type Line } from './lines.js'

/** One row of an input file: the values of the columns asked for, or why it has none. */
export type Row =
  | { line: number; raw: string; values: readonly string[]; fault?: undefined }
  | { line: number; raw: string; values?: undefined; fault: Fault }

type CsvParse = typeof import('csv-parse/sync')

const OPTIONS = { record_delimiter: '\n', relax_column_count: true }

/**
 * Rows of a CSV file (RFC 4180). Lines without a quote are split at their commas; whatever holds a
 * quote goes through csv-parse, which is four times slower. A quote that opens where none may stand,
 * or is never closed, spoils its own line only: the lines after it are read anew.
 */
export class CsvReader {
  readonly #library: CsvParse
  readonly #columns: readonly string[]
  #order: Order | undefined
  /** Lines of a record whose quotes are still open. */
  #open: Line[] = []
  #openLength = 0

  private constructor(library: CsvParse, columns: readonly string[]) {
    this.#library = library
    this.#columns = columns
  }

  /** A reader that gives the values of `columns` in this order, wherever the file has them. */
  static async create(columns: readonly string[]): Promise<CsvReader> {
    return new CsvReader(await import('csv-parse/sync'), columns)
  }

  /** Columns of the file that nobody asked for; known after the first line. */
  get unusedColumns(): readonly string[] {
    return this.#order?.unused ?? []
  }

  /**
   * The rows that end within these lines. The first line of all is the header.
   * @throws UsageError when the header lacks a column or names one twice
   */
  rows(lines: readonly Line[]): Row[] {
    const rows: Row[] = []
    const quoted: { at: number; line: Line }[] = []
    // A stack, the next line last: a record given up puts its later lines back.
    const waiting = lines.toReversed()
    for (let line = waiting.pop(); line; line = waiting.pop()) {
      if (!this.#order) this.#order = this.#readHeader(line)
      else if (this.#open.length > 0) this.#continueRecord(line, rows, waiting)
      else if (line.fault) rows.push({ line: line.number, raw: line.text, fault: line.fault })
      else if (!line.text.includes('"'))
        rows.push(this.#row(line, line.text.split(','), this.#order))
      else if (opensRecord(line.text)) this.#openRecord(line)
      else {
        quoted.push({ at: rows.length, line })
        rows.push(malformed(line))
      }
    }
    this.#parseQuoted(quoted, rows)
    return rows
  }

  /** The rows of lines that were still waiting for a closing quote when the file ended. */
  end(): Row[] {
    const rows: Row[] = []
    while (this.#open.length > 0) {
      const waiting: Line[] = []
      this.#giveUpRecord(rows, waiting)
      rows.push(...this.rows(waiting.toReversed()))
    }
    return rows
  }

  #openRecord(line: Line): void {
    this.#open = [line]
    this.#openLength = line.text.length
  }

  #continueRecord(line: Line, rows: Row[], waiting: Line[]): void {
    this.#open.push(line)
    this.#openLength += line.text.length + 1
    if (line.fault || this.#openLength > MAX_LINE_BYTES) return this.#giveUpRecord(rows, waiting)
    if (!opensRecord(line.text)) return
    const [first] = this.#open
    const raw = this.#open.map(({ text }) => text).join('\n')
    const fields = this.#tryParse(raw)?.[0]
    if (!first || !fields) return this.#giveUpRecord(rows, waiting)
    this.#open = []
    rows.push(this.#row({ number: first.number, text: raw }, fields, this.#order))
  }

  /** Rejects the line that opened the record and lets the others be read on their own. */
  #giveUpRecord(rows: Row[], waiting: Line[]): void {
    const [first, ...others] = this.#open
    this.#open = []
    if (first) rows.push(malformed(first))
    waiting.push(...others.reverse())
  }

  /** Parses lines of balanced quotes, all in one call: for each alone it would take ten times as long. */
  #parseQuoted(quoted: readonly { at: number; line: Line }[], rows: Row[]): void {
    if (quoted.length === 0) return
    const together = this.#tryParse(quoted.map(({ line }) => line.text).join('\n'))
    const isWhole = together?.length === quoted.length
    for (const [index, { at, line }] of quoted.entries()) {
      const fields = isWhole ? together[index] : this.#tryParse(line.text)?.[0]
      if (fields) rows[at] = this.#row(line, fields, this.#order)
    }
  }

  #tryParse(text: string): string[][] | undefined {
    try {
      return this.#library.parse(text, OPTIONS)
    } catch (error) {
      if (error instanceof this.#library.CsvError) return undefined
      throw error
    }
  }

  #row(line: Line, fields: readonly string[], order: Order | undefined): Row {
    if (!order || fields.length !== order.width) {
      const reason = `${fields.length} fields where the header has ${order?.width ?? 0}`
      return { line: line.number, raw: line.text, fault: { code: 'wrong-field-count', reason } }
    }
    const values = order.isPlain ? fields : order.places.map((place) => fields[place] ?? '')
    return { line: line.number, raw: line.text, values }
  }

  #readHeader(line: Line): Order {
    const names = line.fault
      ? []
      : (this.#tryParse(line.text)?.[0] ?? []).map((name) => name.trim())
    const missing = this.#columns.filter((column) => !names.includes(column))
    const isTwice = this.#columns.some(
      (column) => names.indexOf(column) !== names.lastIndexOf(column),
    )
    if (missing.length > 0 || isTwice) {
      const problem = isTwice ? 'it names a column twice' : `it lacks ${missing.join(', ')}`
      const reason = line.fault?.reason ?? problem
      throw new UsageError(
        'wrong-header',
        `line ${line.number} is no header of this file: ${reason}`,
        {
          suggestions: [
            `the first line names the columns, separated by commas: ${this.#columns.join(',')}`,
          ],
        },
      )
    }
    const places = this.#columns.map((column) => names.indexOf(column))
    return {
      width: names.length,
      places,
      isPlain: places.length === names.length && places.every((place, index) => place === index),
      unused: names.filter((name) => !this.#columns.includes(name)),
    }
  }
}

/** Where the header says that the columns asked for stand. */
interface Order {
  /** How many fields a row has. */
  width: number
  places: readonly number[]
  /** The file has exactly the columns asked for, in this order. */
  isPlain: boolean
  unused: readonly string[]
}

/** Whether the line leaves a quote open, or closes one: an odd number of quotes. */
function opensRecord(text: string): boolean {
  let isOdd = false
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at + 1)) isOdd = !isOdd
  return isOdd
}

function malformed(line: Line): Row {
  const fault = {
    code: 'malformed-csv',
    reason: 'a quote stands where none may, or is never closed',
  }
  return { line: line.number, raw: line.text, fault }
}
