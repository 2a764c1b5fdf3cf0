import { leftover, openSecretFile } from '../secret-file.js'
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

/**
 * Writes every row of the trail, oldest first, one JSON object a line.
 * @param write takes one piece of text; the next follows when it has resolved
 */
export async function exportTrail(
  workspace: Workspace,
  write: (text: string) => Promise<void>,
): Promise<ExportedTrail> {
  const { database, log, signal } = workspace
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

/**
 * Exports to a new file, mode 0600, which is there when it is complete and not before.
 * Throws ConflictError when it exists, UsageError when it cannot be made there.
 */
export async function exportTrailToFile(
  workspace: Workspace,
  file: string,
): Promise<ExportedTrail> {
  await (await leftover(file))?.discard()
  const output = await openSecretFile(file)
  let exported: ExportedTrail
  try {
    exported = await exportTrail(workspace, (text) => output.write(text))
    await output.publish()
  } catch (error) {
    await output.discard()
    throw error
  }
  await output.finish()
  return { ...exported, file }
}
