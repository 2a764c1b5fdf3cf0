import { LogTimes } from './log-time.js'
import { sessionKey, startOf } from './session-key.js'
import { decode, isOfInterest, MAX_RECORD } from './text.js'
import type { LogReader, LogSink, ReaderState } from './types.js'

const LF = 0x0a
const COMMA = 0x2c
const QUOTE = 0x22
/** The place of each column that is read; PostgreSQL 15 has 26, 13 has 24. */
const COLUMN = {
  time: 0,
  user: 1,
  database: 2,
  session: 5,
  line: 6,
  display: 7,
  start: 8,
  transaction: 9,
  severity: 11,
  code: 12,
  message: 13,
  detail: 14,
  application: 22,
} as const
const FEWEST_COLUMNS = 23
const MOST_COLUMNS = 40
const [NOT_WHOLE, MALFORMED] = [-1, -2]
/** `2026-11-25 23:02:41.351 UTC,`, as far as a look at a few characters tells. */
const TIME_FORM = /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [^\s,"]+,/y

/**
 * Reads csvlog. Values with line breaks are in quotes, and quotes in them are doubled; so the end of a record is known
 * only by going through all of its fields from a place where a record surely begins. Such a place is one from which a
 * whole record can be read whose message opens with an odd number of quotes: inside a value they always come in pairs.
 */
export class CsvLog implements LogReader {
  readonly #sink: LogSink
  readonly #times: LogTimes
  readonly #starts = new Int32Array(MOST_COLUMNS)
  readonly #ends = new Int32Array(MOST_COLUMNS)
  #columns = 0
  /** Whether the next record is known to begin where reading goes on. */
  #isCertain: boolean
  /** Whether something before that place is being passed over. */
  #isPassing: boolean

  /** @param from where another reader stopped */
  constructor(sink: LogSink, from?: ReaderState & { form: 'csv' }) {
    this.#sink = sink
    this.#times = new LogTimes(from?.times)
    this.#isCertain = from?.isCertain ?? false
    this.#isPassing = from?.isPassing ?? false
  }

  state(): ReaderState {
    const [isCertain, isPassing] = [this.#isCertain, this.#isPassing]
    return { form: 'csv', times: this.#times.learned(), isCertain, isPassing }
  }

  read(text: string): number {
    let start = 0
    for (;;) {
      if (start >= text.length) return start
      if (!this.#isCertain) {
        const found = this.#findStart(text, start)
        if (found !== undefined) return found
        start = this.#starts[COLUMN.time] ?? 0
        this.#isCertain = true
        this.#isPassing = false
      }
      const end = this.#fields(text, start)
      if (end === NOT_WHOLE && text.length - start <= MAX_RECORD) return start
      if (end < 0 || !this.#record(text)) {
        this.#sink.doubt(undefined)
        this.#isCertain = false
        this.#isPassing = true
      } else start = end + 1
    }
  }

  finish(): void {
    // What has no end yet is still being written.
  }

  /**
   * Looks for a place where a record surely begins; its fields are known afterwards.
   * @returns undefined when it was found, else how far the text is done with
   */
  #findStart(text: string, from: number): number | undefined {
    let at = this.#isPassing ? text.indexOf('\n', from) + 1 : from
    while (at > 0 || !this.#isPassing) {
      TIME_FORM.lastIndex = at
      if (TIME_FORM.test(text)) {
        const end = this.#fields(text, at)
        if (end === NOT_WHOLE && text.length - at <= MAX_RECORD) {
          // Only the beginning of a line may come again as one.
          return this.#isPassing ? at - 1 : at
        }
        if (end >= 0 && this.#isProven(text)) return undefined
      } else if (text.length - at < 40 && text.indexOf('\n', at) === -1)
        return this.#isPassing ? at - 1 : at
      this.#isPassing = true
      at = text.indexOf('\n', at) + 1
    }
    return text.length
  }

  #isProven(text: string): boolean {
    if (this.#columns < FEWEST_COLUMNS || Number.isNaN(this.#key(text))) return false
    const from = this.#starts[COLUMN.message] ?? 0
    let at = from
    while (text.charCodeAt(at) === QUOTE) at += 1
    const next = text.charCodeAt(at)
    return (at - from) % 2 === 1 && next !== COMMA && next !== LF
  }

  /** Goes through the fields of a record. @returns where its line break is */
  #fields(text: string, start: number): number {
    let at = start
    for (let column = 0; column < MOST_COLUMNS; column += 1) {
      this.#starts[column] = at
      if (text.charCodeAt(at) === QUOTE) {
        for (;;) {
          at = text.indexOf('"', at + 1)
          if (at === -1) return NOT_WHOLE
          if (text.charCodeAt(at + 1) !== QUOTE) break
          at += 1
        }
        at += 1
      } else {
        for (; at < text.length; at += 1) {
          const code = text.charCodeAt(at)
          if (code === COMMA || code === LF) break
          if (code === QUOTE) return MALFORMED
        }
      }
      if (at >= text.length) return NOT_WHOLE
      this.#ends[column] = at
      const code = text.charCodeAt(at)
      if (code === LF) {
        this.#columns = column + 1
        return at
      }
      if (code !== COMMA) return MALFORMED
      at += 1
    }
    return MALFORMED
  }

  #key(text: string): number {
    return sessionKey(text, this.#starts[COLUMN.session] ?? 0, this.#ends[COLUMN.session] ?? 0)
  }

  /** @returns whether this was a record of PostgreSQL */
  #record(text: string): boolean {
    const key = this.#columns < FEWEST_COLUMNS ? Number.NaN : this.#key(text)
    if (Number.isNaN(key)) return false
    const from = (column: number) => this.#starts[column] ?? 0
    this.#sink.count(key, Number(text.slice(from(COLUMN.line), this.#ends[COLUMN.line])) || 0)
    const isFatal = text.startsWith('FATAL,', from(COLUMN.severity))
    if (isFatal || isOfInterest(text, from(COLUMN.message) + 1)) this.#take(text, key)
    return true
  }

  #take(text: string, key: number): void {
    const raw = (column: number) => text.slice(this.#starts[column], this.#ends[column])
    const value = (column: number) => {
      const field = raw(column)
      if (field === '') return undefined
      return decode(field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field)
    }
    const start = startOf(key)
    if (start !== undefined) this.#times.learn(raw(COLUMN.start), start)
    this.#sink.take({
      key,
      at: this.#times.read(raw(COLUMN.time)),
      severity: raw(COLUMN.severity),
      message: value(COLUMN.message) ?? '',
      code: value(COLUMN.code),
      detail: value(COLUMN.detail),
      user: value(COLUMN.user),
      database: value(COLUMN.database),
      application: value(COLUMN.application),
      display: value(COLUMN.display),
      isInTransaction: value(COLUMN.transaction) !== undefined,
    })
  }
}
