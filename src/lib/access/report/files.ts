import { join } from 'node:path'
import { makeFolder, requirePlace } from '../../file-system.js'
import { writeReport } from '../../findings/report-file.js'
import { writeAccessJunit } from '../audit/junit.js'
import { writeAccessSarif } from '../audit/sarif.js'
import type { AccessAudit } from '../audit/types.js'
import { TABLES, toCsv } from './csv.js'
import type { AccessReport, OpenFinding } from './types.js'

/** Where a report goes beside stdout; undefined: nowhere. */
export interface ReportFiles {
  html: string | undefined
  /** A folder, made where it is missing. */
  csv: string | undefined
  sarif: string | undefined
  junit: string | undefined
  /** The folder that paths in SARIF are relative to. */
  folder: string
  /** Version of this program. */
  version: string
}

/** It names people and where they are let in: nobody else may read it. */
const PRIVATE = 0o600
const PRIVATE_FOLDER = 0o700

/** @throws UsageError naming what is in the place of a file */
export async function requirePlaces({ html, csv, sarif, junit }: ReportFiles): Promise<void> {
  for (const file of [html, sarif, junit]) if (file !== undefined) await requirePlace(file)
  if (csv === undefined) return
  await makeFolder(csv, PRIVATE_FOLDER)
  for (const { name } of TABLES) await requirePlace(join(csv, name))
}

/**
 * Writes a report's files and notes them in it.
 * @param open every finding that stands: SARIF and JUnit leave none out
 * @throws FailureError when one cannot be written
 */
export async function writeFiles(
  report: AccessReport,
  open: readonly OpenFinding[],
  { html, csv, sarif, junit, folder, version }: ReportFiles,
): Promise<void> {
  const { files } = report
  const write = async (path: string, text: string) => {
    await writeReport(path, text, PRIVATE)
    files.push(path)
  }
  if (csv !== undefined)
    for (const { name, write: tell } of TABLES) await write(join(csv, name), toCsv(tell(report)))
  const audit = lastAudit(report, open)
  if (sarif !== undefined) {
    await writeAccessSarif(audit, { file: sarif, folder, version })
    files.push(sarif)
  }
  if (junit !== undefined) {
    await writeAccessJunit(audit, junit)
    files.push(junit)
  }
  if (html !== undefined) {
    const { pageOf } = await import('./page/page.js')
    await write(html, await pageOf(report, version))
  }
}

/** What the audits that were kept say together, as one. */
function lastAudit({ findings, until }: AccessReport, open: readonly OpenFinding[]): AccessAudit {
  const { servers, notChecked } = findings
  return { findings: [...open], accepted: [], notChecked, hosts: servers, checkedAt: until }
}
