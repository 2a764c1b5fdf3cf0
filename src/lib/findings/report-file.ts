import { open, rename, rm } from 'node:fs/promises'
import type { Random } from '../clock.js'
import { FailureError } from '../errors.js'
import { errorCode } from '../file-system.js'

/**
 * Writes a report, whole or not at all; a file that is there is replaced, because a report is no secret and
 * is made anew by every run.
 * @param mode permissions, where not everybody may read it
 * Throws FailureError when it cannot be written.
 */
export async function writeReport(
  path: string,
  text: string,
  random: Random,
  mode = 0o666,
): Promise<void> {
  const temporary = `${path}.${random.bytes(6).toString('hex')}.tmp`
  try {
    const file = await open(temporary, 'wx', mode)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw new FailureError('cannot-write', `cannot write ${path} (${errorCode(error)})`)
  }
}
