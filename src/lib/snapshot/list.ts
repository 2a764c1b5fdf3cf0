import type { Workspace } from '../workspace.js'
import { describeSet } from './settle.js'
import { selectSets } from './store.js'
import type { SetState, SnapshotSet } from './types.js'

const PRESENT: readonly SetState[] = ['open', 'whole', 'partial', 'leaving']

/** The sets that are recorded, oldest first. @param asked.all with those that were deleted */
export async function listSnapshotSets(
  { database }: Workspace,
  { stanza, all }: { stanza: string | undefined; all: boolean },
): Promise<{ sets: SnapshotSet[] }> {
  const states = all ? [...PRESENT, 'gone' as const] : PRESENT
  return { sets: (await selectSets(database, stanza, states)).map(describeSet) }
}
