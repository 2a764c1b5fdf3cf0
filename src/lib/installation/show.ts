import type { Workspace } from '../workspace.js'
import { showInstallation, type ListedInstallation } from './list.js'
import { selectInstallation } from './store.js'
import { unknownInstallation } from './types.js'

/** Everything about one installation that is no secret. */
export interface ShownInstallation extends ListedInstallation {
  /** Id of the API key that its devices should use; null where none is in force. */
  currentKeyId: string | null
}

/**
 * One installation.
 * @throws NotFoundError for an unknown code
 */
export async function getInstallation(
  workspace: Workspace,
  asked: { code: string },
): Promise<ShownInstallation> {
  const row = await selectInstallation(workspace.database, asked.code, workspace.clock.now())
  if (!row) throw unknownInstallation(asked.code)
  return { ...showInstallation(row), currentKeyId: row.currentKeyId }
}
