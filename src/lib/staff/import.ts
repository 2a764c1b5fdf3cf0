import type { Transaction } from '../database/database.js'
import { ConflictError, NotFoundError } from '../errors.js'
import {
  inputName,
  rejectsPath,
  requireDistinct,
  rowsRefused,
  type FileImportOptions,
} from '../rows/file-import.js'
import { openRows, type RowFormat } from '../rows/open-rows.js'
import { RejectReport, type ReportedReject } from '../rows/reject-report.js'
import type { Row } from '../rows/csv.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { changeList } from './change.js'
import { enterAccount } from './enter.js'
import { removeFromList } from './remove.js'
import {
  ACCOUNT_COLUMNS,
  readAccountRow,
  type AccountRowSource,
  type RejectedAccount,
} from './row.js'
import { readScim } from './scim.js'
import type { AccountKind } from './types.js'

/** How a refused row is named in the result of an import. */
interface Named {
  staff: { email: string | null }
  'service-account': { name: string | null }
}

/** How an import of staff or of service accounts came out. */
export interface AccountImport<Kind extends AccountKind> {
  added: number
  changed: number
  unchanged: number
  /** Those whom SCIM calls inactive. */
  removed: number
  rejected: number
  /** The first hundred of them. */
  rejects: (ReportedReject & Named[Kind])[]
  /** The file that lists all of them; null when there are none, and in a dry run. */
  rejectsFile: string | null
  dryRun: boolean
}

/** What an import of staff or of service accounts is given. */
export interface AccountImportOptions extends Omit<FileImportOptions, 'format'> {
  format?: RowFormat | 'scim' | undefined
  /** Entries with other facts are changed, instead of being refused. */
  isReplaced: boolean
}

type Outcome = 'added' | 'changed' | 'unchanged' | 'removed'

/** Thrown to undo a strict import, or a dry run. */
class Undo extends Error {}

/**
 * Puts the entries of a CSV, NDJSON or SCIM file on the list, in one transaction. Whoever is on the list
 * and not in the file stays on it; whom SCIM calls inactive is removed. A row that is refused does not
 * keep the others out, unless the import is strict.
 * @throws PartialError when rows were refused, UsageError when the import is strict; both carry the whole result
 * @throws UsageError when the input cannot be used, RefusedError for anybody but the owner of the database
 */
export async function importAccounts<Kind extends AccountKind>(
  workspace: Workspace,
  kind: Kind,
  options: AccountImportOptions,
): Promise<AccountImport<Kind>> {
  const { database, actor, log } = workspace
  const { input, isDryRun, isStrict } = options
  const asFile: FileImportOptions = { ...options, format: undefined }
  const rejectsTo = rejectsPath(asFile, `${kind}-import`)
  requireDistinct([input, rejectsTo])
  const report = await RejectReport.open<ReportedReject & Named[Kind]>(
    isDryRun ? undefined : rejectsTo,
  )
  const source = await openAccounts(kind, options, workspace.signal)
  const counts = { added: 0, changed: 0, unchanged: 0, removed: 0 }
  let rejected = 0
  try {
    if (source.unusedColumns.length > 0)
      log.warn(`columns not used: ${source.unusedColumns.join(', ')}`)
    await changeList(database, async (transaction) => {
      const importer = new Importer(workspace, transaction, {
        kind,
        isReplaced: options.isReplaced,
      })
      for await (const rows of source.rows) {
        for (const row of rows) {
          workspace.signal.throwIfAborted()
          const outcome = await importer.take(row)
          if (typeof outcome === 'string') counts[outcome] += 1
          else {
            rejected += 1
            await report.add([outcome], (refused) => named(kind, refused))
          }
        }
      }
      if (isDryRun || (isStrict && rejected > 0)) throw new Undo()
      if (counts.added + counts.changed + counts.removed === 0) return
      await appendTrail(transaction, actor, {
        action: `${kind}.import`,
        subject: inputName(input),
        details: { ...counts, rejected, inputSha256: source.digest() },
      })
    }).catch((error: unknown) => {
      if (!(error instanceof Undo)) throw error
      if (!isDryRun) Object.assign(counts, { added: 0, changed: 0, removed: 0 })
    })
    const result: AccountImport<Kind> = {
      ...counts,
      rejected,
      rejects: report.first,
      rejectsFile: await report.publish(),
      dryRun: isDryRun,
    }
    if (rejected > 0) throw rowsRefused(result, asFile)
    return result
  } finally {
    source.close()
    await report.discard()
  }
}

async function openAccounts(
  kind: AccountKind,
  { input, format }: AccountImportOptions,
  signal: AbortSignal,
): Promise<AccountRowSource> {
  if (format === 'scim') return readScim(kind, input)
  return openRows(input, { format, columns: ACCOUNT_COLUMNS[kind], signal })
}

/** What the result tells of a row that was refused. */
function named<Kind extends AccountKind>(
  kind: Kind,
  { line, handle, code, reason }: RejectedAccount,
): ReportedReject & Named[Kind] {
  const names: Named = { staff: { email: handle }, 'service-account': { name: handle } }
  return { line, code, reason, ...names[kind] }
}

/** Takes entries in, one by one: each needs its own look at who has which role. */
class Importer {
  readonly #workspace: Workspace
  readonly #transaction: Transaction
  readonly #how: { kind: AccountKind; isReplaced: boolean }
  readonly #handles = new Set<string>()

  constructor(
    workspace: Workspace,
    transaction: Transaction,
    how: { kind: AccountKind; isReplaced: boolean },
  ) {
    this.#workspace = workspace
    this.#transaction = transaction
    this.#how = how
  }

  async take(row: Row): Promise<Outcome | RejectedAccount> {
    const { actor, clock } = this.#workspace
    const read = readAccountRow(this.#how.kind, row, this.#handles)
    if (!read.facts) return read.rejected
    const { facts } = read
    await this.#transaction.query('savepoint one_row')
    try {
      if (!read.isLeaver) {
        const { isReplaced } = this.#how
        return await enterAccount(this.#transaction, facts, { actor, clock, isReplaced })
      }
      const tools = { actor, clock }
      return (await removeFromList(this.#transaction, tools, facts.kind, facts.handle)).outcome
    } catch (error) {
      if (!(error instanceof ConflictError || error instanceof NotFoundError)) throw error
      await this.#transaction.query('rollback to savepoint one_row')
      // Somebody who has left and was never here is as it should be.
      if (read.isLeaver) return 'unchanged'
      return read.refuse({ code: error.code, reason: error.message })
    }
  }
}
