import { selectAccounts } from '../../staff/store.js'
import type { Workspace } from '../../workspace.js'
import { selectCanaries } from '../canary/store.js'
import { selectGrantsOfList } from '../grant/store.js'
import { accessList } from './list.js'
import type { AccessList } from './types.js'

/** The list as it is now, with grants and decoys. */
export async function currentList({
  database,
  clock,
}: Pick<Workspace, 'database' | 'clock'>): Promise<AccessList> {
  return accessList(
    await selectAccounts(database),
    clock.now(),
    await selectGrantsOfList(database),
    await selectCanaries(database),
  )
}
