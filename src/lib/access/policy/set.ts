import { ConflictError, UsageError } from '../../errors.js'
import { changeList } from '../../staff/change.js'
import { appendTrail } from '../../trail/append.js'
import type { Workspace } from '../../workspace.js'
import { showPolicy, type ShownPolicy } from './show.js'
import { lockPolicy, selectApprovers, updatePolicy, type Policy } from './store.js'

const SHORTEST_LAPSE_MS = 60_000
const LONGEST_LAPSE_MS = 7 * 24 * 60 * 60_000

/** What became of the policy. */
export type SetPolicy = ShownPolicy & { outcome: 'set' | 'unchanged' }

/** Which grants need approval: none, or those that meet one of the conditions. */
export interface PolicyOrder extends Policy {
  isNever: boolean
}

/**
 * Puts another policy in the place of the former one. Requests that wait go on waiting.
 * @throws UsageError without any condition, or with conditions beside `isNever`
 * @throws ConflictError where fewer than two people could take part, so that nothing could ever be approved
 * @throws RefusedError for anybody but the owner of the database
 */
export async function setPolicy(
  workspace: Workspace,
  { isNever, ...order }: PolicyOrder,
): Promise<SetPolicy> {
  const { database, actor, clock } = workspace
  const policy = { ...order, databases: [...new Set(order.databases)].sort() }
  checkOrder(policy, isNever)
  const outcome = await changeList(database, async (transaction) => {
    const { policy: former } = await lockPolicy(transaction)
    if (JSON.stringify(fieldsOf(former)) === JSON.stringify(fieldsOf(policy))) return 'unchanged'
    if (!isNever) requireTwo(await selectApprovers(transaction, clock.now()))
    await updatePolicy(transaction, policy, clock.now())
    await appendTrail(transaction, actor, {
      action: 'access.policy',
      subject: 'approval of grants',
      details: { ...policy, former },
    })
    return 'set'
  })
  return { ...(await showPolicy(workspace)), outcome }
}

function checkOrder(policy: Policy, isNever: boolean): void {
  const { longerThanMs, changing, databases, lapseAfterMs } = policy
  const hasCondition = longerThanMs !== null || changing || databases.length > 0
  if (hasCondition === isNever)
    throw new UsageError(
      'bad-policy',
      isNever ? 'never goes with no condition' : 'it is not said which grants need approval',
      { suggestions: ['--always, --longer-than 1h, --changing, --database NAME, or --never'] },
    )
  if (lapseAfterMs < SHORTEST_LAPSE_MS || lapseAfterMs > LONGEST_LAPSE_MS)
    throw new UsageError('bad-duration', 'a request waits for 1m to 7d')
}

function requireTwo(people: readonly string[]): void {
  if (people.length >= 2) return
  const who = people.length === 0 ? 'no member of staff' : `only ${people.join()}`
  throw new ConflictError(
    'too-few-people',
    `${who} can log in to this database by a role of their own: nobody could approve`,
    {
      suggestions: [
        'make the login of a second person, then: grant cleverctl_staff to ROLE',
        'cleverctl staff add EMAIL --name NAME --role-name ROLE',
      ],
    },
  )
}

function fieldsOf({ longerThanMs, changing, databases, lapseAfterMs }: Policy): unknown[] {
  return [longerThanMs, changing, databases, lapseAfterMs]
}
