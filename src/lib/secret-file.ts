import { open } from 'node:fs/promises'
import { UsageError } from './errors.js'
import { errorCode, isExposed, READ_AT_ONCE } from './file-system.js'
import { Secret } from './secret.js'

/** Bigger than any key, token or password; a wrong file must not be read into memory. */
export const MAX_SECRET_BYTES = 64 * 1024

/**
 * Reads a secret from a file that nobody else can read, without its trailing newline. The file that
 * is checked is the file that is read. Windows has no such permissions; there they are not checked.
 * Throws UsageError when it is missing, open to group or world, no plain file, empty or over 64 KiB.
 * @param meaning what named the file, e.g. `--tls-key`, for the error
 */
export async function readSecretFile(path: string, meaning?: string): Promise<Secret> {
  const prefix = meaning === undefined ? '' : `${meaning}: `
  const file = await open(path, READ_AT_ONCE).catch((error: unknown) => {
    throw new UsageError('unreadable-file', `${prefix}cannot open ${path} (${errorCode(error)})`)
  })
  try {
    const status = await file.stat({ bigint: true })
    if (!status.isFile())
      throw new UsageError('unreadable-file', `${prefix}${path} is no plain file`)
    if (isExposed(status)) {
      throw new UsageError('exposed-file', `${prefix}${path} is open to group or world`, {
        suggestions: [`chmod 600 ${path}`],
      })
    }
    if (status.size > MAX_SECRET_BYTES) {
      throw new UsageError('bad-secret', `${prefix}${path} is larger than any secret`)
    }
    const text = (await file.readFile('utf8')).replace(/\r?\n$/, '')
    if (text === '') throw new UsageError('empty-secret', `${prefix}${path} is empty`)
    return new Secret(text)
  } finally {
    await file.close()
  }
}
