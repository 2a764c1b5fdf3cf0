import { appendTrail } from '../../trail/append.js'
import type { Workspace } from '../../workspace.js'
import { updateState } from './store.js'
import type { RepositoryFacts, RepositoryState } from './types.js'

/** Writes down where a change of a repository has ended, in the trail as well. */
export async function endChange(
  { database, actor, clock }: Workspace,
  given: RepositoryFacts & {
    id: string
    stanza: string
    verb: 'add' | 'remove'
    state: RepositoryState
    details: Record<string, unknown>
  },
): Promise<void> {
  const { id, stanza, number, kind, settings, verb, state, details } = given
  await database.transaction(async (transaction) => {
    await updateState(transaction, id, state, clock.now())
    await appendTrail(transaction, actor, {
      phase: 'outcome',
      action: `backup.repo.${verb}`,
      subject: stanza,
      details: { number, kind, settings, ...details },
    })
  })
}
