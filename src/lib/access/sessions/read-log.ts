import { FailureError } from '../../errors.js'
import { CsvLog } from './csv-log.js'
import { JsonLog } from './json-log.js'
import { readPrefix } from './prefix.js'
import { StderrLog } from './stderr-log.js'
import type { LogReader, LogSink } from './types.js'

/** How a log is written. */
export type LogForm = 'json' | 'csv' | 'stderr'

const CSV_LINE = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [^\s,"]+,/m

/** The form of a log by its name, else by how it begins. */
export function formOf(name: string, head: string): LogForm {
  const plain = name.replace(/\.(?:gz|zst)$/, '')
  if (/\.json(?:[.-]\d+)?$/.test(plain)) return 'json'
  if (/\.csv(?:[.-]\d+)?$/.test(plain)) return 'csv'
  if (/^\{"timestamp":/m.test(head)) return 'json'
  return CSV_LINE.test(head) ? 'csv' : 'stderr'
}

/** A reader for a form. @throws FailureError for the log of stderr without its prefix; UsageError for a bad one */
export function readerFor(form: LogForm, sink: LogSink, prefix: string | undefined): LogReader {
  if (form === 'json') return new JsonLog(sink)
  if (form === 'csv') return new CsvLog(sink)
  if (prefix !== undefined) return new StderrLog(sink, readPrefix(prefix))
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
  readonly #log: { name: string; prefix: string | undefined; form?: LogForm }
  readonly #sink: LogSink
  #reader: LogReader | undefined
  #rest: Buffer = Buffer.alloc(0)

  /** @param log.form without it, it is known by the name, else by how the log begins */
  constructor(log: { name: string; prefix: string | undefined; form?: LogForm }, sink: LogSink) {
    this.#log = log
    this.#sink = sink
  }

  /** Takes the next piece. @throws what {@link readerFor} throws */
  take(chunk: Buffer): void {
    // Text that was put together from two is slower to go through.
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const text = bytes.toString('latin1')
    const { name, prefix, form } = this.#log
    this.#reader ??= readerFor(form ?? formOf(name, text), this.#sink, prefix)
    this.#rest = Buffer.from(bytes.subarray(this.#reader.read(text)))
  }

  /** The log ends here. */
  finish(): void {
    this.#reader?.finish()
  }
}

/** Reads a log from its beginning to its end. @param settle is called after each piece */
export async function readLog(
  log: { name: string; chunks: AsyncIterable<Buffer>; prefix: string | undefined },
  sink: LogSink,
  settle: () => Promise<void>,
): Promise<void> {
  const feed = new LogFeed(log, sink)
  for await (const chunk of log.chunks) {
    feed.take(chunk)
    await settle()
  }
  feed.finish()
}
