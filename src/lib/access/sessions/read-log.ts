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
    'the log of stderr can only be read with its log_line_prefix',
    {
      suggestions: ["--log-line-prefix '%m [%p] '", 'psql -c "show log_line_prefix"'],
    },
  )
}

/** Reads a log from its beginning to its end, in bounded memory. */
export async function readLog(
  log: { name: string; chunks: AsyncIterable<Buffer>; prefix: string | undefined },
  sink: LogSink,
): Promise<void> {
  let reader: LogReader | undefined
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of log.chunks) {
    // Text that was put together from two is slower to go through.
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const text = bytes.toString('latin1')
    reader ??= readerFor(formOf(log.name, text), sink, log.prefix)
    const done = reader.read(text)
    rest = Buffer.from(bytes.subarray(done))
  }
  reader?.finish()
}
