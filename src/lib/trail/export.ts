import { UsageError } from '../errors.js'
import { leftover, openSecretFile } from '../new-secret-file.js'
import type { Workspace } from '../workspace.js'
import { lineOfRow } from './line.js'
import { NO_HASH } from './row.js'
import { readTrail } from './store.js'

/** What an export wrote. */
export interface ExportedTrail {
  rows: number
  /** The last row of it, whose hash stands for all rows up to it. */
  head: { seq: number; hash: string }
  /** The file; absent when it went to stdout. */
  file?: string
}

/** Where an export goes. */
export interface ExportTarget {
  /** A new file, mode 0600, which is there when it is complete and not before. */
  file: string | undefined
  /** Takes the text piece by piece where there is no file; undefined where it may not go. */
  write: ((text: string) => Promise<void>) | undefined
}

/**
 * Writes every row of the trail, oldest first, one JSON object a line.
 * Throws ConflictError when the file exists, UsageError when it cannot be made there.
 */
export async function exportTrail(
  workspace: Workspace,
  { file, write }: ExportTarget,
): Promise<ExportedTrail> {
  if (file !== undefined) return { ...(await exportToFile(workspace, file)), file }
  if (write !== undefined) return exportRows(workspace, write)
  throw new UsageError('output-needed', 'the rows and the one JSON document cannot share stdout', {
    suggestions: ['cleverctl trail export --json --output trail.ndjson'],
  })
}

async function exportToFile(workspace: Workspace, file: string): Promise<ExportedTrail> {
  const left = await leftover(file)
  await left?.discard()
  await left?.close()
  const output = await openSecretFile(file)
  let exported: ExportedTrail
  try {
    exported = await exportRows(workspace, (text) => output.write(text))
    await output.publish()
  } catch (error) {
    await output.discard()
    throw error
  }
  await output.finish()
  return exported
}

async function exportRows(
  { database, log, signal }: Workspace,
  write: (text: string) => Promise<void>,
): Promise<ExportedTrail> {
  return readTrail(database, async ({ head, pages }) => {
    const exported: ExportedTrail = { rows: 0, head: { seq: 0, hash: NO_HASH } }
    const total = head === undefined ? undefined : Number(head.seq)
    for await (const rows of pages) {
      signal.throwIfAborted()
      await write(rows.map((row) => `${lineOfRow(row)}\n`).join(''))
      exported.rows += rows.length
      const last = rows.at(-1)
      if (last !== undefined) exported.head = { seq: Number(last.seq), hash: last.hash }
      log.progress({ done: exported.rows, total, unit: 'rows' })
    }
    return exported
  })
}
