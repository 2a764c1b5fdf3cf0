import type { Database, Queryable } from '../database/database.js'
import { openSibling } from '../database/sibling.js'
import { ExpectedError } from '../errors.js'
import type { Workspace } from '../workspace.js'

/**
 * Logs in to a server anew, in the way that a run did.
 * @param client its connection
 * @returns why that did not go; undefined where it did
 */
export async function whyLockedOut(
  client: Queryable,
  { database, log, signal }: { database: Database } & Pick<Workspace, 'log' | 'signal'>,
): Promise<string | undefined> {
  const { rows } = await client.query<{ name: string }>('select current_database() as name')
  const other = await openSibling(database, rows[0]?.name ?? 'postgres', { log, signal })
  try {
    await other.query('select 1')
    return undefined
  } catch (error) {
    if (!(error instanceof ExpectedError)) throw error
    return `this login is no longer let in (${error.message})`
  } finally {
    await other.close()
  }
}
