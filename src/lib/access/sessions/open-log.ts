import { spawn } from 'node:child_process'
import { open, type FileHandle } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'
import { FailureError, UsageError } from '../../errors.js'
import { errorCode, READ_AT_ONCE } from '../../file-system.js'

const BLOCK_BYTES = 256 * 1024
const GZIP = Buffer.from([0x1f, 0x8b])
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])

/** A log that is open, so that it may be rotated meanwhile. */
export interface OpenLog {
  path: string
  changedAt: Date
  /** Its text from the beginning, unpacked where it is packed. */
  chunks(signal: AbortSignal): AsyncIterable<Buffer>
  close(): Promise<void>
}

/** Opens a log. @throws UsageError when it is not there, not readable or no plain file */
export async function openLog(path: string): Promise<OpenLog> {
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
  return {
    path,
    changedAt: found.mtime,
    chunks: (signal) => unpacked(file, path, signal),
    close: () => file.close(),
  }
}

async function* unpacked(
  file: FileHandle,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const head = Buffer.alloc(4)
  await file.read(head, 0, 4, 0)
  const options = { start: 0, highWaterMark: BLOCK_BYTES, autoClose: false, signal }
  try {
    if (head.subarray(0, 2).equals(GZIP))
      yield* file
        .createReadStream(options)
        .compose(createGunzip({ chunkSize: BLOCK_BYTES })) as AsyncIterable<Buffer>
    else if (head.equals(ZSTD)) yield* unpackedByZstd(file, signal)
    else yield* plain(file, signal)
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
async function* plain(file: FileHandle, signal: AbortSignal): AsyncGenerator<Buffer> {
  const block = Buffer.allocUnsafe(BLOCK_BYTES)
  for (let position = 0; ;) {
    signal.throwIfAborted()
    const { bytesRead } = await file.read(block, 0, BLOCK_BYTES, position)
    if (bytesRead === 0) return
    position += bytesRead
    yield block.subarray(0, bytesRead)
  }
}

/** Node.js 20 cannot unpack zstd; the program, unlike a library, keeps to 128 MiB however a file was packed. */
async function* unpackedByZstd(file: FileHandle, signal: AbortSignal): AsyncGenerator<Buffer> {
  const child = spawn('zstd', ['-dcq'], { stdio: [file.fd, 'pipe', 'ignore'], signal })
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
