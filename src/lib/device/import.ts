import { basename, resolve } from 'node:path'
import { PartialError, UsageError } from '../errors.js'
import { openRows, type RowFormat, type RowSource } from '../rows/open-rows.js'
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
export interface DeviceImportOptions {
  /** A path, or `-` for stdin. */
  input: string
  /** Told by the input itself if absent. */
  format?: RowFormat | undefined
  /** Required unless this is a dry run. */
  secretsOut?: string | undefined
  /** Where refused rows are listed; beside the input if absent. */
  rejects?: string | undefined
  /** One refused row refuses all. */
  isStrict: boolean
  isDryRun: boolean
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
  const { input, isDryRun, isStrict } = options
  const startedAt = clock.now().getTime()
  const secretsOut = isDryRun ? undefined : requireSecretsOut(options)
  const name = input === '-' ? 'stdin' : basename(input)
  const rejectsPath =
    options.rejects ?? (input === '-' ? 'device-import.rejects.csv' : `${input}.rejects.csv`)
  requireDistinct([input, secretsOut, rejectsPath])
  const report = await RejectReport.open<DeviceImport['rejects'][number]>(
    isDryRun ? undefined : rejectsPath,
  )
  const source = await openRows(input, { format: options.format, columns: DEVICE_COLUMNS, signal })
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
        subject: name,
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
    if (rejected > 0) throw rowsRefused(result, { name, isStrict })
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

/** One name for two of them would destroy a file. */
function requireDistinct(paths: readonly (string | undefined)[]): void {
  const named = paths.flatMap((path) => (path === undefined || path === '-' ? [] : [resolve(path)]))
  if (new Set(named).size < named.length)
    throw new UsageError(
      'same-file',
      'the input, the secrets file and the reject file must be three files',
    )
}

/** How many rows the input has, reckoned from its size and what was read of it. */
function estimateRows(source: RowSource, done: number): number | undefined {
  const { read, size } = source.position()
  return size === undefined
    ? undefined
    : Math.max(done, Math.round((done * size) / Math.max(read, 1)))
}

function rowsRefused(
  result: DeviceImport,
  { name, isStrict }: { name: string; isStrict: boolean },
): PartialError | UsageError {
  const rows = result.rejected === 1 ? '1 row' : `${result.rejected} rows`
  const suggestions = result.rejectsFile === null ? [] : [`see ${result.rejectsFile}`]
  return isStrict
    ? new UsageError(
        'rows-rejected',
        `${rows} of ${name} were refused, so nothing was registered`,
        { result, suggestions },
      )
    : new PartialError('rows-rejected', `${rows} of ${name} were refused`, { result, suggestions })
}
