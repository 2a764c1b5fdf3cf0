import type { Workspace } from '../workspace.js'
import { selectAccount, selectAccounts, type AccountRow } from './store.js'
import { accountState, unknownAccount, type AccountKind, type AccountState } from './types.js'

interface Shown {
  roleNames: string[]
  networks: string[]
  until: string | null
  state: AccountState
  addedAt: string
  removedAt: string | null
}

/** A member of staff as results show it. */
export interface ShownStaff extends Shown {
  email: string
  name: string
}

/** A service account as results show it. */
export interface ShownServiceAccount extends Shown {
  name: string
  purpose: string
  /** E-mail address of the member of staff who answers for it. */
  owner: string
}

/** How each kind is shown. */
export interface ShownAs {
  staff: ShownStaff
  'service-account': ShownServiceAccount
}

/** Either of them. */
export type ShownAccount = ShownAs[AccountKind]

/** A row as results show it. */
export function showAccount(row: AccountRow, now: Date): ShownAccount {
  const shown: Shown = {
    roleNames: row.roleNames,
    networks: row.networks,
    until: row.until,
    state: accountState(row, now),
    addedAt: row.addedAt.toISOString(),
    removedAt: row.removedAt?.toISOString() ?? null,
  }
  return row.kind === 'staff'
    ? { email: row.handle, name: row.description, ...shown }
    : { name: row.handle, purpose: row.description, owner: row.owner ?? '', ...shown }
}

/**
 * One entry of the list, removed or not.
 * @throws NotFoundError
 */
export async function getAccount<Kind extends AccountKind>(
  workspace: Workspace,
  asked: { kind: Kind; handle: string },
): Promise<ShownAs[Kind]> {
  const { kind, handle } = asked
  const spelled = kind === 'staff' ? handle.trim().toLowerCase() : handle
  const row = await selectAccount(workspace.database, kind, spelled)
  if (!row) throw unknownAccount(kind, handle)
  // The row is of the kind that was asked for.
  return showAccount(row, workspace.clock.now()) as ShownAs[Kind]
}

/** The entries of one kind. @param asked.withRemoved those that were taken off the list, too */
export async function listAccounts<Kind extends AccountKind>(
  workspace: Workspace,
  asked: { kind: Kind; withRemoved: boolean },
): Promise<ShownAs[Kind][]> {
  const now = workspace.clock.now()
  const rows = await selectAccounts(workspace.database, asked.kind)
  return rows
    .filter(({ removedAt }) => asked.withRemoved || !removedAt)
    .map((row) => showAccount(row, now) as ShownAs[Kind])
}
