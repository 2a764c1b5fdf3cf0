import { open, rename, rm } from 'node:fs/promises'
import type { Random } from '../clock.js'
import { FailureError } from '../errors.js'
import { errorCode, requirePlace } from '../file-system.js'
import { toSarif } from './sarif.js'
import type { FindingsReport } from './types.js'

/**
 * Whether a SARIF file can be written at `path`, to know it before a long check.
 * Throws UsageError naming what is in its place.
 */
export async function requireSarifPlace(path: string): Promise<void> {
  await requirePlace(path)
}

/**
 * Writes a report as SARIF 2.1.0, whole or not at all; a file that is there is replaced, because a
 * report is no secret and is made anew by every run. Paths in it are relative to `folder`.
 * Throws FailureError when it cannot be written.
 */
export async function writeSarif(
  path: string,
  report: FindingsReport,
  given: { folder: string; random: Random },
): Promise<void> {
  const text = `${JSON.stringify(toSarif(report, given.folder), null, 2)}\n`
  const temporary = `${path}.${given.random.bytes(6).toString('hex')}.tmp`
  try {
    const file = await open(temporary, 'wx')
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
