import type { Workspace } from '../workspace.js'
import { requireOwner } from './owner.js'
import { selectKeys, selectOwner } from './store.js'
import { showApiKey, type ShownApiKey } from './types.js'

/**
 * Every API key of an installation, newest first.
 * Throws NotFoundError when there is no such installation.
 */
export async function listApiKeys(
  workspace: Workspace,
  { installation }: { installation: string },
): Promise<{ installation: string; apiKeys: ShownApiKey[] }> {
  const owner = requireOwner(await selectOwner(workspace.database, installation), installation)
  const now = workspace.clock.now()
  const keys = await selectKeys(workspace.database, owner.id)
  return { installation, apiKeys: keys.map((key) => showApiKey(key, now)) }
}
