import type { Database, Transaction } from '../database/database.js'
import { isSqlState, SqlState } from '../database/sqlstate.js'
import { RefusedError } from '../errors.js'

/**
 * Runs a change of the list in one transaction.
 * @throws RefusedError for a role that is not the owner of the database: nobody lets himself in
 */
export async function changeList<Result>(
  database: Database,
  work: (transaction: Transaction) => Promise<Result>,
): Promise<Result> {
  return ownersOnly(database.transaction(work))
}

/**
 * A change of who may reach the databases, with its refusal in words.
 * @throws RefusedError for a role that is not the owner of the database
 */
export async function ownersOnly<Result>(change: Promise<Result>): Promise<Result> {
  return change.catch((error: unknown) => {
    if (!isSqlState(error, SqlState.INSUFFICIENT_PRIVILEGE)) throw error
    throw new RefusedError(
      'owner-only',
      'only the owner of the database changes who may reach the databases',
      { suggestions: ['give the command with a profile that logs in as the owner'] },
    )
  })
}
