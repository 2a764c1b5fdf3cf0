import type { Settings } from '../config/settings.js'
import { openDatabase, type OpenOptions } from '../database/open.js'
import { type Surroundings, workspaceOn } from '../surroundings.js'
import type { Workspace } from '../workspace.js'

/** What a few commands need differently from all others. */
export interface WorkspaceNeeds extends Pick<
  OpenOptions,
  'migrations' | 'maxConnections' | 'connectWithinMs' | 'atOnce'
> {
  /** Statements are not cancelled by SIGINT and SIGTERM: a gate finishes what it took in. */
  finishesStatements?: boolean
}

/** Opens the database that the settings name and puts the outside world together. Close its database when done. */
export async function openWorkspace(
  settings: Settings,
  surroundings: Surroundings,
  needs: WorkspaceNeeds,
): Promise<Workspace> {
  const { finishesStatements = false, ...open } = needs
  const { log, signal } = surroundings
  const database = await openDatabase(settings, {
    ...open,
    log,
    signal: finishesStatements ? undefined : signal,
  })
  return workspaceOn(database, settings, surroundings)
}
