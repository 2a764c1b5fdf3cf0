import { decideRetention, type KeepReason, type RetentionPolicy } from '../retention/decide.js'
import type { SetRow } from './store.js'

/**
 * Decides which sets are kept, for each host by the sets that it is in: so a set of one host stands neither for a day
 * of the others nor as their last one. A set is kept when one of its hosts wants it. Pure.
 * @param given.hostIds hosts that are recorded; the others of a set have no say, unless there is none else
 * @param given.proven names of the sets from which a drill started servers
 * @returns why each set is kept, by its name; empty: it may go
 * @throws what `decideRetention` throws
 */
export function decideSets(
  sets: readonly SetRow[],
  given: {
    hostIds: readonly string[]
    proven: ReadonlySet<string>
    policy: RetentionPolicy
    now: Date
  },
): Map<string, KeepReason[]> {
  const { hostIds, proven, policy, now } = given
  const reasons = new Map(sets.map(({ set }) => [set, new Set<KeepReason>()]))
  // What is being deleted may be there in part only, and counts for nothing.
  const there = sets.filter(({ state }) => state !== 'leaving')
  const isOf = (set: SetRow, id: string) => set.members.some(({ hostId }) => hostId === id)
  const groups = [
    ...hostIds.map((id) => there.filter((set) => isOf(set, id))),
    there.filter((set) => !hostIds.some((id) => isOf(set, id))),
  ]
  for (const group of groups) {
    const copies = group.map(({ set, begunAt, state }) => ({
      ...{ id: set, takenAt: begunAt, needs: [] },
      ...{ isWhole: state === 'whole', isProven: proven.has(set) },
    }))
    for (const { id, keptFor } of decideRetention(copies, policy, now))
      for (const reason of keptFor) reasons.get(id)?.add(reason)
  }
  return new Map([...reasons].map(([set, why]) => [set, [...why]]))
}
