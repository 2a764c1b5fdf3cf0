import type { Workspace } from '../../workspace.js'
import { selectAcceptances } from './store.js'
import { showAcceptance, type Acceptance } from './types.js'

/** Findings that somebody answers for. @param withWithdrawn those that were withdrawn, too */
export async function listAcceptances(
  workspace: Workspace,
  { withWithdrawn }: { withWithdrawn: boolean },
): Promise<Acceptance[]> {
  const now = workspace.clock.now()
  const rows = await selectAcceptances(workspace.database)
  return rows
    .filter(({ withdrawnAt }) => withWithdrawn || !withdrawnAt)
    .map((row) => showAcceptance(row, now))
}
