import type { Workspace } from '../../workspace.js'
import { selectGrantsOfList, showGrant } from './store.js'
import type { ShownGrant } from './types.js'

/** Grants, the youngest first. @param withEnded those that ended, too */
export async function listGrants(
  workspace: Workspace,
  { withEnded }: { withEnded: boolean },
): Promise<ShownGrant[]> {
  const rows = await selectGrantsOfList(workspace.database)
  return rows.filter(({ state }) => withEnded || state !== 'ENDED').map(showGrant)
}
