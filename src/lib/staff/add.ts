import type { Workspace } from '../workspace.js'
import { changeList } from './change.js'
import { enterAccount, type EntryOutcome } from './enter.js'
import { selectAccount } from './store.js'
import { showAccount, type ShownAccount } from './show.js'
import { parseFacts, unknownAccount, type GivenFacts } from './types.js'

/** An entry that was asked for, and what became of it. */
export type AddedAccount = ShownAccount & { outcome: EntryOutcome }

/**
 * Puts a member of staff or a service account on the list. The same command again changes nothing.
 * @param asked.isReplaced an entry with other facts is changed, instead of a reason to refuse
 * @throws UsageError for bad facts; ConflictError for an entry with other facts or a role that speaks
 *   for another entry; NotFoundError for an unknown owner; RefusedError for anybody but the owner
 */
export async function addAccount(
  workspace: Workspace,
  asked: GivenFacts & { isReplaced: boolean },
): Promise<AddedAccount> {
  const { database, actor, clock } = workspace
  const { isReplaced } = asked
  const facts = parseFacts(asked)
  return changeList(database, async (transaction) => {
    const outcome = await enterAccount(transaction, facts, { actor, clock, isReplaced })
    const row = await selectAccount(transaction, facts.kind, facts.handle)
    if (!row) throw unknownAccount(facts.kind, facts.handle)
    return { ...showAccount(row, clock.now()), outcome }
  })
}
