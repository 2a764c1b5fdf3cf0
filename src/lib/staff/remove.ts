import type { Transaction } from '../database/database.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { changeList } from './change.js'
import { lockAccount, markRemoved, selectOwned } from './store.js'
import { unknownAccount, type AccountKind } from './types.js'

/** What became of an entry that was to be removed. */
export interface RemovedAccount {
  handle: string
  outcome: 'removed' | 'unchanged'
  removedAt: string
  /** Its roles, which still exist on the servers. */
  roleNames: string[]
  /** Service accounts for which nobody on the list answers any more. */
  ownerless: string[]
}

/**
 * Takes a member of staff or a service account off the list. Nothing is changed on any server.
 * @throws NotFoundError; RefusedError for anybody but the owner of the database
 */
export async function removeAccount(
  workspace: Workspace,
  asked: { kind: AccountKind; handle: string },
): Promise<RemovedAccount> {
  const { database } = workspace
  const { kind } = asked
  const handle = kind === 'staff' ? asked.handle.trim().toLowerCase() : asked.handle
  return changeList(database, (transaction) => removeFromList(transaction, workspace, kind, handle))
}

/** The same within a transaction. @throws NotFoundError */
export async function removeFromList(
  transaction: Transaction,
  { actor, clock }: Pick<Workspace, 'actor' | 'clock'>,
  kind: AccountKind,
  handle: string,
): Promise<RemovedAccount> {
  const row = await lockAccount(transaction, kind, handle)
  if (!row) throw unknownAccount(kind, handle)
  const { roleNames } = row
  const ownerless = kind === 'staff' ? await selectOwned(transaction, row.id) : []
  if (row.removedAt) {
    const removedAt = row.removedAt.toISOString()
    return { handle, outcome: 'unchanged', removedAt, roleNames, ownerless }
  }
  const at = clock.now()
  await markRemoved(transaction, row.id, at)
  await appendTrail(transaction, actor, {
    action: `${kind}.remove`,
    subject: handle,
    details: { roleNames, ownerless },
  })
  return { handle, outcome: 'removed', removedAt: at.toISOString(), roleNames, ownerless }
}
