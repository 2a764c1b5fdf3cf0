import { spawn } from 'node:child_process'
import { open, type FileHandle } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { FailureError, UsageError } from '../../errors.js'
import { errorCode, READ_AT_ONCE } from '../../file-system.js'
import { HEAD_BYTES } from './reading/log-head.js'
import type { LogSource } from './reading/resume.js'

const BLOCK_BYTES = 256 * 1024
const GZIP = Buffer.from([0x1f, 0x8b])
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])

/** A log that is open, so that it may be rotated meanwhile. */
export interface OpenLog {
  path: string
  changedAt: Date
  size: number
  isPacked: boolean
  /** As much of its beginning as makes its head; nothing where it cannot be unpacked. */
  beginning: Buffer
  source: LogSource
  close(): Promise<void>
}

/** Opens a log. @throws UsageError when it is not there, not readable or no plain file */
export async function openLog(path: string, signal: AbortSignal): Promise<OpenLog> {
  let file: FileHandle
  try {
    file = await open(path, READ_AT_ONCE)
  } catch (error) {
    throw new UsageError('unreadable-file', `cannot read the log ${path} (${errorCode(error)})`)
  }
  const found = await file.stat()
  if (!found.isFile()) {
    await file.close()
    const what = found.isDirectory() ? 'is a folder' : 'is no plain file'
    throw new UsageError('not-a-file', `${path} ${what}`, {
      suggestions: [`--log ${path}/postgresql.json`],
    })
  }
  const packing = await packingOf(file)
  const chunks = (from: number, signal: AbortSignal) =>
    told(path, signal, unpacked(file, packing, from, signal))
  return {
    ...{ path, changedAt: found.mtime, size: found.size, isPacked: packing !== undefined },
    beginning: await beginningOf(chunks(0, signal)),
    source: async (from, take) => {
      for await (const chunk of chunks(from, signal)) await take(chunk)
    },
    close: () => file.close(),
  }
}

type Packing = 'gzip' | 'zstd' | undefined

async function packingOf(file: FileHandle): Promise<Packing> {
  const head = Buffer.alloc(4)
  await file.read(head, 0, 4, 0)
  if (head.subarray(0, 2).equals(GZIP)) return 'gzip'
  return head.equals(ZSTD) ? 'zstd' : undefined
}

async function beginningOf(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  let beginning = Buffer.alloc(0)
  try {
    for await (const chunk of chunks) {
      beginning = Buffer.concat([beginning, chunk.subarray(0, HEAD_BYTES)])
      if (beginning.length >= HEAD_BYTES) break
    }
  } catch (error) {
    // Whoever reads on is told.
    if (!(error instanceof FailureError)) throw error
  }
  return beginning.subarray(0, HEAD_BYTES)
}

function unpacked(
  file: FileHandle,
  packing: Packing,
  from: number,
  signal: AbortSignal,
): AsyncIterable<Buffer> {
  if (packing === undefined) return plain(file, from, signal)
  if (packing === 'zstd') return unpackedByZstd(file, signal)
  const options = { start: 0, highWaterMark: BLOCK_BYTES, autoClose: false, signal }
  const gunzip = createGunzip({ chunkSize: BLOCK_BYTES })
  return file.createReadStream(options).compose(gunzip) as AsyncIterable<Buffer>
}

/** The same with words that name the log where it cannot be read. */
async function* told(
  path: string,
  signal: AbortSignal,
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  try {
    yield* chunks
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof FailureError) throw error
    throw new FailureError(
      'unreadable-log',
      `cannot read the log ${path} to its end (${errorCode(error)})`,
    )
  }
}

/** One buffer for all of it: a new one for each block would cost more than reading. */
async function* plain(file: FileHandle, from: number, signal: AbortSignal): AsyncGenerator<Buffer> {
  const block = Buffer.allocUnsafe(BLOCK_BYTES)
  for (let position = 0; ;) {
    signal.throwIfAborted()
    const length = from > 0 && position === 0 ? HEAD_BYTES : BLOCK_BYTES
    const { bytesRead } = await file.read(block, 0, length, position)
    if (bytesRead === 0) return
    position = from > 0 && position === 0 ? from : position + bytesRead
    yield block.subarray(0, bytesRead)
  }
}

/** Node.js 20 cannot unpack zstd; the program, unlike a library, keeps to 128 MiB however a file was packed. */
async function* unpackedByZstd(file: FileHandle, signal: AbortSignal): AsyncGenerator<Buffer> {
  const child = spawn('zstd', ['-dcq'], { stdio: ['pipe', 'pipe', 'ignore'], signal })
  const packed = file.createReadStream({ start: 0, highWaterMark: BLOCK_BYTES, autoClose: false })
  // What it did not take, its exit code tells.
  pipeline(packed, child.stdin).catch(() => undefined)
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  }).catch((error: unknown) => {
    signal.throwIfAborted()
    throw new FailureError(
      'no-zstd',
      `cannot start zstd, which unpacks such logs (${errorCode(error)})`,
    )
  })
  // Awaited below; a reader that stops early leaves it alone.
  ended.catch(() => undefined)
  try {
    yield* child.stdout as AsyncIterable<Buffer>
    if ((await ended) !== 0) throw new FailureError('unreadable-log', 'zstd cannot unpack the log')
  } finally {
    child.kill()
  }
}
