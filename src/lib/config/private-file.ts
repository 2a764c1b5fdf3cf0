import { open } from 'node:fs/promises'
import { UsageError } from '../errors.js'

const GROUP_AND_WORLD = 0o077

/**
 * The text of a file that holds a secret, without its trailing newline. Permissions are read from
 * the opened file itself, so nobody can exchange it between the check and the reading.
 * Throws UsageError when the file is missing, empty, not a plain file, or open to group or world.
 * @param meaning what the file is, for the error, e.g. `CLEVERCTL_DATABASE_URL_FILE`
 */
export async function readPrivateFile(file: string, meaning: string): Promise<string> {
  const handle = await open(file, 'r').catch((cause: unknown) => {
    throw new UsageError('file-unreadable', `${meaning}: cannot read ${file}`, { cause })
  })
  try {
    const status = await handle.stat()
    if (!status.isFile()) {
      throw new UsageError('file-unreadable', `${meaning}: ${file} is not a plain file`)
    }
    if (process.platform !== 'win32' && (status.mode & GROUP_AND_WORLD) !== 0) {
      throw new UsageError('file-not-private', `${meaning}: ${file} is open to group or world`, {
        suggestions: [`chmod 600 ${file}`],
      })
    }
    const text = (await handle.readFile('utf8')).replace(/\r?\n$/, '')
    if (text === '') throw new UsageError('file-empty', `${meaning}: ${file} is empty`)
    return text
  } finally {
    await handle.close()
  }
}
