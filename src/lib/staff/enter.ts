import type { Transaction } from '../database/database.js'
import { ConflictError, NotFoundError } from '../errors.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import {
  claimRoles,
  insertAccount,
  lockAccount,
  selectHolder,
  updateAccount,
  type AccountRow,
} from './store.js'
import { differenceOf, existsDifferently, KIND_WORDS, type AccountFacts } from './types.js'

/** What became of an entry. */
export type EntryOutcome = 'added' | 'changed' | 'unchanged'

/**
 * Puts an entry on the list, with its line in the trail. A removed one comes back with the new facts.
 * @param isReplaced an entry with other facts is changed, instead of a reason to refuse
 * @throws ConflictError for an entry with other facts, a role that speaks for another entry, a removed owner
 * @throws NotFoundError for an owner who is not on the list
 */
export async function enterAccount(
  transaction: Transaction,
  facts: AccountFacts,
  { actor, clock, isReplaced }: Pick<Workspace, 'actor' | 'clock'> & { isReplaced: boolean },
): Promise<EntryOutcome> {
  const { kind, handle } = facts
  const ownerId = facts.owner === null ? null : await findOwner(transaction, facts.owner)
  const row = { ...facts, ownerId, at: clock.now() }
  const inserted = await insertAccount(transaction, row)
  const former = inserted === undefined ? await lockAccount(transaction, kind, handle) : undefined
  const difference = former && differenceOf(former, facts)
  if (former && !former.removedAt) {
    if (difference === undefined) return 'unchanged'
    if (!isReplaced) throw existsDifferently(facts, difference)
  }
  const id = inserted ?? former?.id
  if (id === undefined) throw new Error('an entry was removed while it was being read')
  if (former) await updateAccount(transaction, id, row)
  const [taken] = await claimRoles(transaction, id, facts.roleNames)
  if (taken !== undefined) throw await roleTaken(transaction, taken)
  const isChange = former !== undefined && !former.removedAt
  await appendTrail(transaction, actor, {
    action: `${kind}.${isChange ? 'change' : 'add'}`,
    subject: handle,
    details: { ...factsOf(facts), ...(isChange ? { former: factsOf(former) } : {}) },
  })
  return isChange ? 'changed' : 'added'
}

/** What the trail keeps of an entry beside its subject. */
function factsOf(facts: AccountFacts | AccountRow): Record<string, unknown> {
  const { description, owner, roleNames, networks, until } = facts
  return { description, owner, roleNames, networks, until }
}

async function findOwner(transaction: Transaction, owner: string): Promise<string> {
  const found = await lockAccount(transaction, 'staff', owner)
  if (!found)
    throw new NotFoundError('staff-not-found', `the owner ${owner} is no ${KIND_WORDS.staff}`, {
      suggestions: [`cleverctl staff add ${owner} --name NAME --role-name ROLE`],
    })
  if (found.removedAt)
    throw new ConflictError('owner-removed', `the owner ${owner} was removed from the list`, {
      suggestions: ['name somebody who is on it: cleverctl staff list'],
    })
  return found.id
}

async function roleTaken(transaction: Transaction, roleName: string): Promise<ConflictError> {
  const holder = (await selectHolder(transaction, roleName)) ?? 'another entry'
  return new ConflictError(
    'role-taken',
    `role ${JSON.stringify(roleName)} speaks for ${holder}, and a role speaks for one account only`,
    { suggestions: ['cleverctl staff list', 'cleverctl service-account list'] },
  )
}
