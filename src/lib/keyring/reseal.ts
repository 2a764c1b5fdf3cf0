import { ExpectedError } from '../errors.js'
import type { Workspace } from '../workspace.js'
import type { Keyring } from './keyring.js'
import { SEALED_COLUMNS, type SealedColumn } from './sealed-columns.js'
import { countSealed, lockSealedByOthers, updateSealed, type SealedValue } from './store.js'

/** What sealing anew did. */
export interface Resealed {
  rows: number
  /** What could not be opened and is as it was, e.g. `api-key:Ab3dEf9h`. */
  unopened: string[]
}

/** Rows in one transaction: short locks, and little to do again after a kill. */
const BATCH_ROWS = 500

/** Seals with the current key whatever another key sealed, batch by batch. */
export async function resealAll(workspace: Workspace, keyring: Keyring): Promise<Resealed> {
  const counts = await countSealed(workspace.database)
  const total = counts
    .filter(({ keyId }) => keyId !== keyring.currentKeyId)
    .reduce((sum, { rows }) => sum + rows, 0)
  const done: Resealed = { rows: 0, unopened: [] }
  for (const column of SEALED_COLUMNS) {
    let after: string | undefined = ''
    while (after !== undefined) {
      workspace.signal.throwIfAborted()
      const batch: Batch = await resealBatch(workspace, keyring, column, after)
      done.rows += batch.rows
      done.unopened.push(...batch.unopened)
      after = batch.last
      workspace.log.progress({ done: done.rows + done.unopened.length, total, unit: 'rows' })
    }
  }
  return done
}

interface Batch extends Resealed {
  /** Where the next batch begins; undefined after the last one. */
  last: string | undefined
}

async function resealBatch(
  { database }: Workspace,
  keyring: Keyring,
  column: SealedColumn,
  after: string,
): Promise<Batch> {
  return database.transaction(async (transaction) => {
    const wanted = { keyId: keyring.currentKeyId, after, limit: BATCH_ROWS }
    const old = await lockSealedByOthers(transaction, column, wanted)
    const fresh: SealedValue[] = []
    const unopened: string[] = []
    for (const { id, sealed } of old) {
      const identity = `${column.kind}:${id}`
      const value = resealed(keyring, sealed, identity)
      if (value === undefined) unopened.push(identity)
      else fresh.push({ id, sealed: value })
    }
    await updateSealed(transaction, column, fresh)
    return { rows: fresh.length, unopened, last: old.at(-1)?.id }
  })
}

function resealed(keyring: Keyring, sealed: Buffer, identity: string): Buffer | undefined {
  try {
    const plaintext = keyring.open(sealed, identity)
    const value = keyring.seal(plaintext, identity)
    plaintext.fill(0)
    return value
  } catch (error) {
    if (error instanceof ExpectedError) return undefined
    throw error
  }
}
