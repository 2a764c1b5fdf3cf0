import { selectProven } from '../drill/store.js'
import { ExpectedError, PartialError, UnreachableError } from '../errors.js'
import { databaseHosts, type DatabaseHosts } from '../host/database-hosts.js'
import type { Reached } from '../host/reach.js'
import { selectHosts } from '../host/store.js'
import type { PruneQuestion } from '../retention/asked.js'
import { decideRetention, type KeepReason, type RetentionPolicy } from '../retention/decide.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { decideSets } from './decide.js'
import { deleteSnapshot, onSnapshotHosts } from './on-host.js'
import { whileAlone } from './settle.js'
import { selectSets, updateMembers, updateSet, type SetRow } from './store.js'
import type { SetState } from './types.js'

/** What becomes of a set. */
export interface PrunedSet {
  set: string
  state: SetState
  /** `expired`: it would be deleted; `failed`: some host did not delete its snapshot. */
  outcome: 'kept' | 'expired' | 'deleted' | 'failed'
  keptFor: KeepReason[]
  /** What failed, by host. */
  failures: { host: string; reason: string }[]
}

/** What became of the sets. */
export interface PrunedSnapshots {
  stanza: string
  dryRun: boolean
  sets: PrunedSet[]
}

/**
 * Deletes the sets that are old and of which more than enough remain, on all their hosts; see `decideSets`. What
 * a former run did not end is ended.
 * @throws UsageError for a policy that keeps nothing, PartialError when a host did not delete its snapshot
 */
export async function pruneSnapshots(
  workspace: Workspace,
  asked: PruneQuestion,
): Promise<PrunedSnapshots> {
  const { environment, policy, isDryRun } = asked
  decideRetention([], policy, workspace.clock.now())
  const cluster = await databaseHosts(workspace, { stanza: asked.stanza })
  const { stanza } = cluster
  if (isDryRun)
    return { stanza, dryRun: true, sets: (await decide(workspace, cluster, policy)).map(plan) }
  return whileAlone(workspace, { stanza, environment }, async () => {
    const sets: PrunedSet[] = []
    const away: Away = new Map()
    for (const decided of await decide(workspace, cluster, policy)) {
      workspace.signal.throwIfAborted()
      const planned = plan(decided)
      sets.push(
        planned.outcome === 'kept'
          ? planned
          : await remove(workspace, decided.row, environment, away),
      )
    }
    const result = { stanza, dryRun: false, sets }
    const failed = sets.filter(({ outcome }) => outcome === 'failed').map(({ set }) => set)
    if (failed.length === 0) return result
    throw new PartialError('partly-deleted', `not deleted everywhere: ${failed.join(', ')}`, {
      result,
      suggestions: ['give the command again when the hosts are there'],
    })
  })
}

/** Hosts that did not answer once; they are not waited for again in the same run. */
type Away = Map<string, ExpectedError>

interface Decided {
  row: SetRow
  keptFor: KeepReason[]
}

async function decide(
  { database, clock }: Workspace,
  { stanza, hosts }: DatabaseHosts,
  policy: RetentionPolicy,
): Promise<Decided[]> {
  const rows = await selectSets(database, stanza, ['open', 'whole', 'partial', 'leaving'])
  const proven = await selectProven(database, stanza, 'snapshot')
  const verdicts = decideSets(rows, {
    hostIds: hosts.map(({ id }) => id),
    proven: new Set(proven.map(({ subject }) => subject)),
    policy,
    now: clock.now(),
  })
  return rows.map((row) => ({ row, keptFor: verdicts.get(row.set) ?? [] }))
}

function plan({ row, keptFor }: Decided): PrunedSet {
  const outcome = keptFor.length > 0 ? 'kept' : 'expired'
  return { set: row.set, state: row.state, outcome, keptFor, failures: [] }
}

async function remove(
  workspace: Workspace,
  set: SetRow,
  environment: NodeJS.ProcessEnv,
  away: Away,
): Promise<PrunedSet> {
  const hosts = set.members.map(({ host }) => host)
  await record(workspace, set, { state: 'leaving', phase: 'intent', gone: [], details: { hosts } })
  const left = set.members.filter(({ state }) => state !== 'gone')
  const reached = await deleteOn(workspace, set, left, environment, away)
  const failures = reached.flatMap(({ host, result }) =>
    result instanceof ExpectedError ? [{ host: host.name, reason: result.message }] : [],
  )
  // A host that is not recorded any more cannot be asked: its machine is somebody else's now.
  const forgotten = left.filter(({ hostId }) => !reached.some(({ host }) => host.id === hostId))
  const deleted = reached.filter(({ result }) => !(result instanceof ExpectedError))
  const gone = [...deleted.map(({ host }) => host.id), ...forgotten.map(({ hostId }) => hostId)]
  const [state, outcome] =
    failures.length === 0 ? (['gone', 'deleted'] as const) : (['leaving', 'failed'] as const)
  const details = { failures, forgotten: forgotten.map(({ host }) => host) }
  await record(workspace, set, { state, phase: 'outcome', gone, details })
  return { set: set.set, state, outcome, keptFor: [], failures }
}

/** Deletes what is left of a set on the hosts that are still recorded. */
async function deleteOn(
  workspace: Workspace,
  { set }: SetRow,
  left: SetRow['members'],
  environment: NodeJS.ProcessEnv,
  away: Away,
): Promise<Reached<void>[]> {
  const hosts = (await selectHosts(workspace.database, 'database')).filter(({ id }) =>
    left.some(({ hostId }) => hostId === id),
  )
  const there = hosts.filter(({ id }) => !away.has(id))
  const asked = await onSnapshotHosts(workspace, there, environment, (session, host) =>
    deleteSnapshot(session, host, set),
  )
  for (const { host, result } of asked)
    if (result instanceof UnreachableError) away.set(host.id, result)
  return hosts.map(
    (host) => asked.find((each) => each.host.id === host.id) ?? { host, result: away.get(host.id) },
  )
}

/** Writes down how far the deletion of a set is. @param step.gone ids of the hosts on which nothing is left of it */
async function record(
  { database, actor, clock }: Workspace,
  set: SetRow,
  step: {
    state: SetState
    phase: 'intent' | 'outcome'
    gone: readonly string[]
    details: Record<string, unknown>
  },
): Promise<void> {
  const { state, phase, gone, details } = step
  await database.transaction(async (transaction) => {
    const changes = gone.map((hostId) => ({ hostId, isGone: true }) as const)
    if (changes.length > 0) await updateMembers(transaction, set, changes)
    await updateSet(transaction, set, { state, reason: set.reason, at: clock.now() })
    await appendTrail(transaction, actor, {
      ...{ phase, action: 'snapshot.delete', subject: set.set, details },
    })
  })
}
