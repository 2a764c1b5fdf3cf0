import type { Workspace } from '../../workspace.js'
import { selectCanaries } from './store.js'
import { showCanary, type ShownCanary } from './types.js'

/** Decoys, the oldest first. @param withRemoved those that were removed, too */
export async function listCanaries(
  { database }: Workspace,
  { withRemoved }: { withRemoved: boolean },
): Promise<ShownCanary[]> {
  return (await selectCanaries(database, withRemoved)).map(showCanary)
}
