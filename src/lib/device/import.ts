import { UsageError } from '../errors.js'
import {
  estimateRows,
  inputName,
  rejectsPath,
  requireDistinct,
  rowsRefused,
  type FileImportOptions,
} from '../rows/file-import.js'
import { openRows } from '../rows/open-rows.js'
import { RejectReport, type ReportedReject } from '../rows/reject-report.js'
import type { Workspace } from '../workspace.js'
import { runRegistration } from './registration-run.js'
import { DEVICE_COLUMNS } from './row.js'

/** How an import came out. */
export interface DeviceImport {
  imported: number
  unchanged: number
  rejected: number
  /** The first hundred of them. */
  rejects: (ReportedReject & { serial: string | null })[]
  /** The file that lists all of them; null when there are none, and in a dry run. */
  rejectsFile: string | null
  /** The file that holds the secrets of the new devices; null when there are none, and in a dry run. */
  secretsFile: string | null
  dryRun: boolean
  durationMs: number
}

/** What to import, and where its by-products go. */
export interface DeviceImportOptions extends FileImportOptions {
  /** Required unless this is a dry run. */
  secretsOut?: string | undefined
}

/**
 * Registers the devices that a factory's CSV or NDJSON file lists, in bounded memory and one
 * transaction. A new device's secret is in the secrets file before the device is in the registry. A
 * row that is refused does not keep the others out, unless the import is strict.
 * @throws PartialError when rows were refused, UsageError when the import is strict; both carry the whole result
 * @throws UsageError when the input cannot be used or no secrets file is named
 * @throws ConflictError when there are new devices and the secrets file exists
 */
export async function importDevices(
  workspace: Workspace,
  options: DeviceImportOptions,
): Promise<DeviceImport> {
  const { clock, log, signal } = workspace
  const { input, format, isDryRun, isStrict } = options
  const startedAt = clock.now().getTime()
  const secretsOut = isDryRun ? undefined : requireSecretsOut(options)
  const rejectsTo = rejectsPath(options, 'device-import')
  requireDistinct([input, secretsOut, rejectsTo])
  const report = await RejectReport.open<DeviceImport['rejects'][number]>(
    isDryRun ? undefined : rejectsTo,
  )
  const source = await openRows(input, { format, columns: DEVICE_COLUMNS, signal })
  try {
    if (source.unusedColumns.length > 0)
      log.warn(`columns not used: ${source.unusedColumns.join(', ')}`)
    const { imported, unchanged, rejected, secretsFile } = await runRegistration(workspace, {
      rows: source.rows,
      secretsOut,
      isStrict,
      reject: (rows) =>
        report.add(rows, ({ line, serial, code, reason }) => ({ line, serial, code, reason })),
      progress: (done) =>
        log.progress({ done, total: estimateRows(source, done), unit: 'devices' }),
      trail: ({ batches, ...counts }) => ({
        action: 'device.import',
        subject: inputName(input),
        details: { ...counts, batches, inputSha256: source.digest() },
      }),
    })
    const result: DeviceImport = {
      imported,
      unchanged,
      rejected,
      rejects: report.first,
      rejectsFile: await report.publish(),
      secretsFile: secretsFile ?? null,
      dryRun: isDryRun,
      durationMs: clock.now().getTime() - startedAt,
    }
    if (rejected > 0) throw rowsRefused(result, options)
    return result
  } finally {
    source.close()
    await report.discard()
  }
}

function requireSecretsOut({ secretsOut }: DeviceImportOptions): string {
  if (secretsOut !== undefined) return secretsOut
  throw new UsageError('missing-secrets-out', 'new secrets need a file: --secrets-out is missing', {
    suggestions: ['cleverctl device import factory.csv --secrets-out secrets.csv'],
  })
}
