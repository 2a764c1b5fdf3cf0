import { open } from 'node:fs/promises'
import { UsageError } from '../errors.js'
import { Secret } from '../secret.js'

/** Bigger than any key, token or password; a wrong file must not be read into memory. */
const MAX_BYTES = 64 * 1024
const GROUP_OR_WORLD = 0o077

/**
 * Reads a secret from a file, or from stdin to its end when `path` is `-`.
 * @param flagName the flag that named it, for the message
 * Throws UsageError when the file is missing, readable by others, empty, too big or holds a NUL.
 */
export async function readSecret(path: string, flagName: string): Promise<Secret> {
  const bytes =
    path === '-' ? await readAll(process.stdin, flagName) : await readFile(path, flagName)
  const text = bytes.toString('utf8').replace(/\r?\n$/, '')
  return checkedSecret(text, `--${flagName} ${path}`)
}

/**
 * Wraps a secret that a person or a file gave.
 * @param source where it came from, for the message
 * Throws UsageError when it is empty or holds a NUL.
 */
export function checkedSecret(text: string, source: string): Secret {
  if (text === '') throw new UsageError('empty-secret', `${source} is empty`)
  if (text.includes('\0')) throw new UsageError('bad-secret', `${source} holds a NUL character`)
  return new Secret(text)
}

async function readFile(path: string, flagName: string): Promise<Buffer> {
  // Opened once and asked by descriptor, so the file that was checked is the file that is read.
  const file = await open(path, 'r').catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException
    throw new UsageError(
      'unreadable-file',
      `--${flagName} ${path} cannot be opened (${code ?? 'unknown'})`,
    )
  })
  try {
    const { mode, size } = await file.stat()
    if (process.platform !== 'win32' && (mode & GROUP_OR_WORLD) !== 0)
      throw new UsageError('exposed-file', `--${flagName} ${path} is open to other users`, {
        suggestions: [`chmod 600 ${path}`],
      })
    if (size > MAX_BYTES) throw tooBig(path, flagName)
    return await readAll(file.createReadStream({ autoClose: false }), flagName)
  } finally {
    await file.close()
  }
}

async function readAll(stream: AsyncIterable<Buffer | string>, flagName: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > MAX_BYTES) throw tooBig('-', flagName)
    chunks.push(bytes)
  }
  return Buffer.concat(chunks)
}

function tooBig(path: string, flagName: string): UsageError {
  return new UsageError('bad-secret', `--${flagName} ${path} is larger than any secret`)
}
