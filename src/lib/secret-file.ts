import { open } from 'node:fs/promises'
import { UsageError } from './errors.js'
import { Secret } from './secret.js'

/** Bigger than any key, token or password; a wrong file must not be read into memory. */
const MAX_SECRET_BYTES = 64 * 1024
const GROUP_OR_WORLD = 0o077

/**
 * Reads a secret from a file that nobody else can read, without its trailing newline. The file that
 * is checked is the file that is read. Windows has no such permissions; there they are not checked.
 * Throws UsageError when it is missing, open to group or world, no plain file, empty or over 64 KiB.
 */
export async function readSecretFile(path: string): Promise<Secret> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw new UsageError('unreadable-file', `cannot open ${path} (${errorCode(error)})`)
  })
  try {
    const status = await file.stat()
    if (!status.isFile()) throw new UsageError('unreadable-file', `${path} is no plain file`)
    if (process.platform !== 'win32' && (status.mode & GROUP_OR_WORLD) !== 0) {
      throw new UsageError('exposed-file', `${path} is open to group or world`, {
        suggestions: [`chmod 600 ${path}`],
      })
    }
    if (status.size > MAX_SECRET_BYTES) throw new UsageError('bad-secret', `${path} is larger than any secret`)
    const text = (await file.readFile('utf8')).replace(/\r?\n$/, '')
    if (text === '') throw new UsageError('empty-secret', `${path} is empty`)
    return new Secret(text)
  } finally {
    await file.close()
  }
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
}
