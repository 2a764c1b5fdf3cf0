import { ConflictError } from '../errors.js'
import type { Transaction } from '../database/database.js'
import type { Row } from '../rows/csv.js'
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
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { INSTALLATION_COLUMNS, readInstallationRow, type RejectedRow } from './row.js'
import { insertInstallations, selectByCodes } from './store.js'
import { differenceOf, type InstallationFacts } from './types.js'

/** How an import came out. */
export interface InstallationImport {
  imported: number
  unchanged: number
  rejected: number
  /** The first hundred of them. */
  rejects: (ReportedReject & { installation: string | null })[]
  /** The file that lists all of them; null when there are none, and in a dry run. */
  rejectsFile: string | null
  dryRun: boolean
  durationMs: number
}

/** Thrown to undo a strict import. */
class StrictRefusal extends Error {}

/**
 * Enters the installations that a CSV or NDJSON file lists, in one transaction. A row that is
 * refused does not keep the others out, unless the import is strict.
 * @throws PartialError when rows were refused, UsageError when the import is strict; both carry the whole result
 * @throws UsageError when the input cannot be used
 */
export async function importInstallations(
  workspace: Workspace,
  options: FileImportOptions,
): Promise<InstallationImport> {
  const { database, actor, clock, log, signal } = workspace
  const { input, format, isDryRun, isStrict } = options
  const startedAt = clock.now().getTime()
  const rejectsTo = rejectsPath(options, 'installation-import')
  requireDistinct([input, rejectsTo])
  const report = await RejectReport.open<InstallationImport['rejects'][number]>(
    isDryRun ? undefined : rejectsTo,
  )
  const source = await openRows(input, { format, columns: INSTALLATION_COLUMNS, signal })
  const counts = { imported: 0, unchanged: 0, rejected: 0 }
  const reject = async (rows: readonly RejectedRow[]): Promise<void> => {
    counts.rejected += rows.length
    await report.add(rows, ({ line, code, reason, installation }) => ({
      line,
      installation,
      code,
      reason,
    }))
  }
  try {
    if (source.unusedColumns.length > 0)
      log.warn(`columns not used: ${source.unusedColumns.join(', ')}`)
    await database
      .transaction(async (transaction) => {
        const importer = new Importer(workspace, transaction, isDryRun)
        for await (const rows of source.rows) {
          signal.throwIfAborted()
          const { imported, unchanged, rejected } = await importer.add(rows)
          counts.imported += imported
          counts.unchanged += unchanged
          if (rejected.length > 0) await reject(rejected)
          const done = counts.imported + counts.unchanged + counts.rejected
          log.progress({ done, total: estimateRows(source, done), unit: 'installations' })
        }
        if (isStrict && counts.rejected > 0) throw new StrictRefusal()
        if (counts.imported === 0 || isDryRun) return
        await appendTrail(transaction, actor, {
          action: 'installation.import',
          subject: inputName(input),
          details: { ...counts, inputSha256: source.digest() },
        })
      })
      .catch((error: unknown) => {
        if (!(error instanceof StrictRefusal)) throw error
        counts.imported = 0
      })
    const result: InstallationImport = {
      ...counts,
      rejects: report.first,
      rejectsFile: await report.publish(),
      dryRun: isDryRun,
      durationMs: clock.now().getTime() - startedAt,
    }
    if (counts.rejected > 0) throw rowsRefused(result, options)
    return result
  } finally {
    source.close()
    await report.discard()
  }
}

/** Takes rows in, block by block. */
class Importer {
  readonly #workspace: Workspace
  readonly #transaction: Transaction
  readonly #isDryRun: boolean
  readonly #codes = new Set<string>()

  constructor(workspace: Workspace, transaction: Transaction, isDryRun: boolean) {
    this.#workspace = workspace
    this.#transaction = transaction
    this.#isDryRun = isDryRun
  }

  async add(
    rows: readonly Row[],
  ): Promise<{ imported: number; unchanged: number; rejected: RejectedRow[] }> {
    const read = rows.map((row) => readInstallationRow(row, this.#codes))
    const codes = read.flatMap(({ facts }) => (facts ? [facts.code] : []))
    const found = await selectByCodes(this.#transaction, codes)
    const existing = new Map(found.map((row) => [row.code, row]))
    const fresh: InstallationFacts[] = []
    const rejected: RejectedRow[] = []
    let unchanged = 0
    for (const row of read) {
      if (!row.facts) {
        rejected.push(row.rejected)
        continue
      }
      const former = existing.get(row.facts.code)
      const difference =
        former && (former.retiredAt ? 'end: it is retired' : differenceOf(former, row.facts))
      if (!former) fresh.push(row.facts)
      else if (difference === undefined) unchanged += 1
      else rejected.push(row.refuse('exists-differently', `it exists with another ${difference}`))
    }
    if (!this.#isDryRun && fresh.length > 0) await this.#insert(fresh)
    return { imported: fresh.length, unchanged, rejected }
  }

  async #insert(fresh: readonly InstallationFacts[]): Promise<void> {
    const { clock } = this.#workspace
    const inserted = await insertInstallations(this.#transaction, fresh, clock.now())
    if (inserted.length < fresh.length)
      throw new ConflictError(
        'created-meanwhile',
        'one of these installations was created by somebody else at this moment',
        {
          suggestions: ['give the command again'],
        },
      )
  }
}
