import { FailureError } from '../../errors.js'
import { CsvLog } from './csv-log.js'
import { JsonLog } from './json-log.js'
import { readPrefix } from './prefix.js'
import { StderrLog } from './stderr-log.js'
import type { LogForm, LogReader, LogSink, ReaderState } from './types.js'

const CSV_LINE = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [^\s,"]+,/m

/** The form of a log by its name, else by how it begins. */
export function formOf(name: string, head: string): LogForm {
  const plain = name.replace(/\.(?:gz|zst)$/, '')
  if (/\.json(?:[.-]\d+)?$/.test(plain)) return 'json'
  if (/\.csv(?:[.-]\d+)?$/.test(plain)) return 'csv'
  if (/^\{"timestamp":/m.test(head)) return 'json'
  return CSV_LINE.test(head) ? 'csv' : 'stderr'
}

/** Where reading of a log stands, as JSON. */
export interface LogPoint {
  /** So many bytes are done with, unpacked where it is packed. */
  offset: number
  /** Null: nothing was read yet. */
  reader: ReaderState | null
}

/** What a reader of a log has to know. */
export interface LogKind {
  /** Name of the log, by which its form is known. */
  name: string
  /** log_line_prefix, for logs of stderr. */
  prefix: string | undefined
  /** Without it, the form is known by the name, else by how the log begins. */
  form?: LogForm
}

/** A reader for a form. @throws FailureError for the log of stderr without its prefix; UsageError for a bad one */
function readerFor(
  form: LogForm,
  sink: LogSink,
  prefix: string | undefined,
  from: ReaderState | null,
): LogReader {
  if (form === 'json') return new JsonLog(sink, from?.form === form ? from : undefined)
  if (form === 'csv') return new CsvLog(sink, from?.form === form ? from : undefined)
  if (prefix !== undefined)
    return new StderrLog(sink, readPrefix(prefix), from?.form === form ? from : undefined)
  throw new FailureError(
    'no-log-line-prefix',
    'a log of stderr can only be read with its log_line_prefix: give --log-line-prefix',
    {
      suggestions: ["--log-line-prefix '%m [%p] '", 'psql -c "show log_line_prefix"'],
    },
  )
}

/** Reads a log that comes piece by piece, in bounded memory. */
export class LogFeed {
  readonly #kind: LogKind
  readonly #sink: LogSink
  readonly #point: LogPoint
  #reader: LogReader | undefined
  #rest: Buffer = Buffer.alloc(0)

  /** @param point where another feed stopped: what it takes first is what comes there */
  constructor(kind: LogKind, sink: LogSink, point: LogPoint = { offset: 0, reader: null }) {
    this.#kind = kind
    this.#sink = sink
    this.#point = { ...point }
  }

  /** Takes the next piece. @throws FailureError for the log of stderr without its prefix; UsageError for a bad one */
  take(chunk: Buffer): void {
    // Text that was put together from two is slower to go through.
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const text = bytes.toString('latin1')
    const read = this.#open(text).read(text)
    this.#rest = Buffer.from(bytes.subarray(read))
    this.#point.offset += read
  }

  /** The log ends here. */
  finish(): void {
    if (this.#reader !== undefined || this.#point.reader !== null) this.#open('').finish()
  }

  /** Where it stands: everything before is done with, and nothing behind. */
  point(): LogPoint {
    const { offset, reader } = this.#point
    return { offset, reader: this.#reader?.state() ?? reader }
  }

  #open(text: string): LogReader {
    const { name, prefix, form } = this.#kind
    const { reader } = this.#point
    this.#reader ??= readerFor(
      form ?? reader?.form ?? formOf(name, text),
      this.#sink,
      prefix,
      reader,
    )
    return this.#reader
  }
}
