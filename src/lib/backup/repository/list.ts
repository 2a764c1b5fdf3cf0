import type { Workspace } from '../../workspace.js'
import { selectRepositories } from './store.js'
import type { RepositoryFacts, RepositoryState } from './types.js'

/** A repository that this tool added. */
export interface ListedRepository extends RepositoryFacts {
  stanza: string
  /** Anything but ACTIVE was interrupted, or is under way. */
  state: RepositoryState
  addedAt: string | null
}

/** The repositories that this tool added, by stanza and number. */
export interface RepositoryList {
  repositories: ListedRepository[]
}

/** Lists the repositories that were added, as they are recorded; no machine is asked. */
export async function listRepositories(
  { database }: Pick<Workspace, 'database'>,
  asked: { stanza: string | undefined },
): Promise<RepositoryList> {
  const rows = await selectRepositories(database, asked.stanza)
  const repositories = rows.map(({ stanza, number, kind, settings, state, addedAt }) => ({
    ...{ stanza, number, kind, settings, state },
    addedAt: addedAt?.toISOString() ?? null,
  }))
  return { repositories }
}
