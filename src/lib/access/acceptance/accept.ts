import type { Transaction } from '../../database/database.js'
import { ConflictError, UsageError } from '../../errors.js'
import { faultOfName } from '../../installation/types.js'
import { changeList } from '../../staff/change.js'
import { lockAccount } from '../../staff/store.js'
import { accountState, isFault, readDay, unknownAccount } from '../../staff/types.js'
import { appendTrail } from '../../trail/append.js'
import type { Workspace } from '../../workspace.js'
import { ACCESS_RULES } from '../audit/rules.js'
import { insertAcceptance, lockAcceptanceOf, markWithdrawn, type AcceptedKey } from './store.js'
import { acceptanceState } from './types.js'

/** A finding, and who answers for it how long and why. */
export interface AcceptanceOrder extends AcceptedKey {
  owner: string
  reason: string
  until: string
}

/** What became of it. */
export interface Accepted {
  id: string
  rule: string
  subject: string
  host: string | null
  until: string
  outcome: 'accepted' | 'unchanged'
}

/**
 * Lets a finding count as accepted until the end of a day. One that is over, or for which nobody answers any
 * more, gives way to the new one.
 * @throws UsageError for a rule that is none, a reason that says nothing, a day that is past
 * @throws NotFoundError and ConflictError for an owner who is not on the list, or there is another acceptance
 * @throws RefusedError for anybody but the owner of the database
 */
export async function acceptFinding(
  workspace: Workspace,
  order: AcceptanceOrder,
): Promise<Accepted> {
  const { database, clock } = workspace
  checkOrder(order, clock.now())
  return changeList(database, (transaction) => enterAcceptance(transaction, workspace, order))
}

async function enterAcceptance(
  transaction: Transaction,
  { actor, clock }: Workspace,
  order: AcceptanceOrder,
): Promise<Accepted> {
  const { rule, subject, host, reason, until } = order
  const now = clock.now()
  const handle = order.owner.trim().toLowerCase()
  const owner = await lockAccount(transaction, 'staff', handle)
  if (!owner) throw unknownAccount('staff', order.owner)
  if (accountState(owner, now) !== 'valid')
    throw new ConflictError('owner-removed', `${handle} may not reach the databases any more`, {
      suggestions: ['name somebody who is on the list: cleverctl staff list'],
    })
  const shown = { rule, subject, host, until }
  const former = await lockAcceptanceOf(transaction, order)
  if (former && acceptanceState(former, now) === 'valid') {
    const isSame = former.owner === handle && former.reason === reason && former.until === until
    if (isSame) return { id: former.id, ...shown, outcome: 'unchanged' }
    throw exists(former.id, order)
  }
  if (former) await markWithdrawn(transaction, former.id, now)
  const id = await insertAcceptance(transaction, { ...order, ownerId: owner.id, at: now })
  if (id === undefined) throw exists(undefined, order)
  await appendTrail(transaction, actor, {
    action: 'access.accept',
    subject: `${rule} ${subject}`,
    details: { id, host, owner: handle, reason, until },
  })
  return { id, ...shown, outcome: 'accepted' }
}

function checkOrder({ rule, subject, reason, until }: AcceptanceOrder, now: Date): void {
  if (!ACCESS_RULES.some(({ id }) => id === rule))
    throw new UsageError('unknown-rule', `no rule is called ${JSON.stringify(rule.slice(0, 80))}`, {
      suggestions: ['docs/access.md lists the rules'],
    })
  if (subject.trim() === '' || subject.length > 500)
    throw new UsageError('bad-subject', 'the subject is that of the finding, as the audit shows it')
  const fault = faultOfName(reason)
  if (fault) throw new UsageError('bad-reason', `the reason: ${fault.reason}`)
  const day = readDay(until)
  if (isFault(day)) throw new UsageError(day.code, day.reason)
  if (day < now.toISOString().slice(0, 10))
    throw new UsageError('bad-date', `${day} is past: an acceptance ends in the future`)
}

function exists(id: string | undefined, { rule, subject }: AcceptanceOrder): ConflictError {
  return new ConflictError(
    'acceptance-exists',
    `${rule} of ${subject} is accepted already, with another owner, reason or day`,
    { suggestions: [`cleverctl access accept withdraw ${id ?? 'NUMBER'}`] },
  )
}
