import { FailureError } from '../errors.js'
import { requirePlace } from '../file-system.js'
import { writeReport } from './report-file.js'
import { toSarif } from './sarif.js'
import type { FindingsReport } from './types.js'

/** The file of a SARIF report, the folder that paths in it are relative to, and the version of this program. */
export interface SarifFile {
  file: string
  folder: string
  version: string
}

/**
 * Whether a report can be written at `path`, to know it before a long check.
 * Throws UsageError naming what is in its place.
 */
export async function requireReportPlace(path: string): Promise<void> {
  await requirePlace(path)
}

/**
 * Writes a report as SARIF 2.1.0, whole or not at all, in the place of a former one. Paths in it are relative
 * to `folder`.
 * Throws FailureError with `result`, what was found, when it cannot be written.
 */
export async function writeSarif(
  path: string,
  report: FindingsReport,
  given: { folder: string; result: object },
): Promise<void> {
  const text = `${JSON.stringify(toSarif(report, given.folder), null, 2)}\n`
  await writeReport(path, text).catch((error: unknown) => {
    throw error instanceof FailureError ? error.withResult(given.result) : error
  })
}
