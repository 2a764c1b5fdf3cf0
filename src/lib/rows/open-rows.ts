import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { addAbortSignal, type Readable } from 'node:stream'
import { UsageError } from '../errors.js'
import { CsvReader, type Row } from './csv.js'
import { readLines, type Line } from './lines.js'
import { readNdjsonRow } from './ndjson.js'

/** The forms an input file may have. */
export type RowFormat = 'csv' | 'ndjson'

/** An input file that is being read row by row. */
export interface RowSource {
  /** The file as messages name it. */
  readonly name: string
  readonly format: RowFormat
  /** Columns of the file that nobody asked for. */
  readonly unusedColumns: readonly string[]
  /** The rows, some thousand at a time; to be read once. */
  readonly rows: AsyncIterable<Row[]>
  /** How far reading has come, in bytes; `size` is undefined where it cannot be known. */
  position(): { read: number; size: number | undefined }
  /** SHA-256 in hexadecimal of everything read; of the whole input once `rows` has ended. */
  digest(): string
  /** Lets go of the input, read to its end or not. */
  close(): void
}

/** Large enough to make the work per block cheap, small enough to let the event loop breathe. */
const BLOCK_BYTES = 128 * 1024

/**
 * Opens a CSV or NDJSON file, `-` for stdin, and reads as far as the first line.
 * @param options.format told by the first character if absent: an object's brace begins NDJSON
 * @param options.columns the columns whose values each row gives, in this order
 * @throws UsageError when the input cannot be read, is empty or has a wrong header
 */
export async function openRows(
  input: string,
  options: { format?: RowFormat | undefined; columns: readonly string[]; signal: AbortSignal },
): Promise<RowSource> {
  const name = input === '-' ? 'stdin' : input
  const size = input === '-' ? undefined : await sizeOf(input)
  const stream: Readable =
    input === '-' ? process.stdin : createReadStream(input, { highWaterMark: BLOCK_BYTES })
  addAbortSignal(options.signal, stream)
  const digest = createHash('sha256')
  let read = 0
  const counted = async function* (): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        digest.update(chunk)
        read += chunk.length
        yield chunk
      }
    } catch (error) {
      options.signal.throwIfAborted()
      throw unreadableInput(name, error)
    }
  }
  try {
    const { format, unusedColumns, rows } = await readRows(readLines(counted()), {
      name,
      ...options,
    })
    return {
      name,
      format,
      unusedColumns,
      rows,
      position: () => ({ read, size }),
      digest: () => digest.copy().digest('hex'),
      close: () => stream.destroy(),
    }
  } catch (error) {
    stream.destroy()
    throw error
  }
}

async function readRows(
  blocks: AsyncGenerator<Line[]>,
  options: { name: string; format?: RowFormat | undefined; columns: readonly string[] },
): Promise<Pick<RowSource, 'format' | 'unusedColumns' | 'rows'>> {
  const { name, columns } = options
  const first = await firstLines(blocks)
  const [start] = first
  if (!start) throw new UsageError('empty-input', `${name} is empty`)
  const format = options.format ?? (start.text.trimStart().startsWith('{') ? 'ndjson' : 'csv')
  const reader = format === 'csv' ? await CsvReader.create(columns) : undefined
  const parse = (lines: readonly Line[]): Row[] =>
    reader ? reader.rows(lines) : lines.map((line) => readNdjsonRow(line, columns))
  const firstRows = parse(first)
  const rows = async function* (): AsyncGenerator<Row[]> {
    yield firstRows
    for await (const lines of blocks) yield parse(lines)
    if (reader) yield reader.end()
  }
  return { format, unusedColumns: reader?.unusedColumns ?? [], rows: rows() }
}

async function firstLines(blocks: AsyncGenerator<Line[]>): Promise<Line[]> {
  for (;;) {
    const step = await blocks.next()
    if (step.done) return []
    if (step.value.length > 0) return step.value
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path)
    if (found.isDirectory()) throw new UsageError('unreadable-input', `${path} is a directory`)
    return found.isFile() ? found.size : undefined
  } catch (error) {
    throw unreadableInput(path, error)
  }
}

const REASONS: Record<string, string> = {
  ENOENT: 'there is no such file',
  EACCES: 'you may not read it',
  EISDIR: 'it is a directory',
  ENAMETOOLONG: 'there is no such file',
  ENOTDIR: 'there is no such file',
}

/** The error for an input that the system does not let be read; any other error as it is. */
export function unreadableInput(name: string, error: unknown): unknown {
  if (!(error instanceof Error && 'code' in error && 'syscall' in error)) return error
  const code = String(error.code)
  return new UsageError('unreadable-input', `cannot read ${name}: ${REASONS[code] ?? code}`, {
    cause: error,
  })
}
