import { FailureError } from '../errors.js'
import { errorCode, writeWhole } from '../file-system.js'

/**
 * Writes a report, whole or not at all; a file that is there is replaced, because a report is no secret and
 * is made anew by every run.
 * @param mode permissions, where not everybody may read it
 * Throws FailureError when it cannot be written.
 */
export async function writeReport(path: string, text: string, mode = 0o666): Promise<void> {
  await writeWhole(path, text, mode).catch((error: unknown) => {
    throw new FailureError('cannot-write', `cannot write ${path} (${errorCode(error)})`)
  })
}
