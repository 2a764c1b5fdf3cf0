import { ConflictError, ExpectedError } from '../errors.js'
import { hold } from '../database/hold.js'
import { selectHosts, type HostRow } from '../host/store.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { listSnapshots, onSnapshotHosts } from './on-host.js'
import {
  selectSet,
  selectSets,
  updateMembers,
  updateSet,
  type MemberChange,
  type SetRow,
  type TakenFacts,
} from './store.js'
import { unknownSet, type SetState, type SnapshotSet } from './types.js'

/** What a host gave for a set, or why it gave nothing. */
export interface MemberOutcome {
  host: Pick<HostRow, 'id' | 'name'>
  result: TakenFacts | ExpectedError
}

/**
 * Runs `work` while nobody else makes or deletes snapshots of a cluster; sets that were interrupted are settled first.
 * @throws ConflictError when somebody does
 */
export async function whileAlone<Result>(
  workspace: Workspace,
  { stanza, environment }: { stanza: string; environment: NodeJS.ProcessEnv },
  work: () => Promise<Result>,
): Promise<Result> {
  const message = `somebody else makes or deletes snapshots of ${stanza}`
  const taken = new ConflictError('snapshots-busy', message, {
    suggestions: ['wait for it, then give the command again'],
  })
  return hold(workspace.database, `snapshot ${stanza}`, taken, async () => {
    for (const set of await selectSets(workspace.database, stanza, ['open']))
      await settle(workspace, set, environment)
    return work()
  })
}

/** Asks the hosts what there is of a set whose making was interrupted, and writes that down. */
async function settle(
  workspace: Workspace,
  set: SetRow,
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  const ids = new Set(set.members.map(({ hostId }) => hostId))
  const hosts = (await selectHosts(workspace.database, 'database')).filter(({ id }) => ids.has(id))
  const reached = await onSnapshotHosts(workspace, hosts, environment, listSnapshots)
  const interrupted = new ConflictError('interrupted', 'it was interrupted')
  const outcomes = set.members.map((member): MemberOutcome => {
    const found = reached.find(({ host }) => host.id === member.hostId)?.result
    const host = { id: member.hostId, name: member.host }
    if (found instanceof ExpectedError) return { host, result: found }
    return { host, result: found?.get(set.set) ?? interrupted }
  })
  const settled = await recordOutcome(workspace, set, outcomes, { settled: true })
  workspace.log.warn(`${set.set} was interrupted: it is ${settled.state}`)
}

/** Writes down what came of a set, and whether it is whole. */
export async function recordOutcome(
  { database, actor, clock }: Workspace,
  set: Pick<SetRow, 'id' | 'set'>,
  outcomes: readonly MemberOutcome[],
  more: Record<string, unknown> = {},
): Promise<SnapshotSet> {
  const { state, reason } = judgeSet(outcomes.map(({ result }) => result))
  return database.transaction(async (transaction) => {
    await updateMembers(transaction, set, outcomes.map(changeOf))
    await updateSet(transaction, set, { state, reason, at: clock.now() })
    const row = await selectSet(transaction, set.set)
    if (row === undefined) throw unknownSet(set.set)
    const described = describeSet(row)
    await appendTrail(transaction, actor, {
      phase: 'outcome',
      action: 'snapshot.create',
      subject: set.set,
      details: { state, reason, members: described.members, ...more },
    })
    return described
  })
}

function changeOf({ host: { id: hostId }, result }: MemberOutcome): MemberChange {
  return result instanceof ExpectedError
    ? { hostId, failure: result.message }
    : { hostId, facts: result }
}

/** Whether snapshots are a set: all are there, and of one cluster with one history. Pure. */
export function judgeSet(results: readonly (TakenFacts | ExpectedError)[]): {
  state: SetState
  reason: string | null
} {
  const taken = results.filter((each): each is TakenFacts => !(each instanceof ExpectedError))
  if (taken.length < results.length) return { state: 'partial', reason: null }
  const distinct = (values: readonly unknown[]) => new Set(values).size
  if (distinct(taken.map(({ systemIdentifier }) => systemIdentifier)) > 1)
    return { state: 'partial', reason: 'the hosts belong to different clusters' }
  if (taken.filter(({ role }) => role === 'primary').length > 1)
    return { state: 'partial', reason: 'more than one host took writes' }
  if (distinct(taken.map(({ timeline }) => timeline)) > 1)
    return { state: 'partial', reason: 'the hosts were on different timelines' }
  return { state: 'whole', reason: null }
}

/** A set as scripts read it. */
export function describeSet({ set, stanza, state, begunAt, members, reason }: SetRow): SnapshotSet {
  return {
    set,
    stanza,
    state,
    begunAt: begunAt.toISOString(),
    members: members.map(({ hostId: _, ...member }) => member),
    reason,
  }
}
