import { verifyTrailEnd } from '../../trail/verify-end.js'
import type { Scene } from '../scene.js'
import { selectPartitions } from '../store.js'
import { type Check, failure, type Finding, ok, warning } from '../types.js'

/** `trail verify` looks at every row; this much is looked at in a moment. */
const TRAIL_ROWS = 1000

/** A running gate makes the next month's partition two weeks before it begins. */
const PARTITION_AHEAD_MS = 7 * 86_400_000

/** Checks of what is recorded. */
export const recordChecks: readonly Check[] = [
  { id: 'trail', title: 'trail', run: checkTrail },
  { id: 'partitions', title: 'room for readings', run: checkPartitions },
]

async function checkTrail(scene: Scene): Promise<Finding> {
  const { database } = await scene.workspace()
  const { rows, head, problems } = await verifyTrailEnd(database, TRAIL_ROWS)
  const [problem] = problems
  if (problem === undefined) return ok(`the last ${rows} rows are sound, up to row ${head.seq}`)
  return failure(
    `row ${problem.seq} is ${problem.kind}: ${problem.explanation}`,
    'cleverctl trail verify',
  )
}

async function checkPartitions(scene: Scene): Promise<Finding> {
  const { database, clock } = await scene.workspace()
  const now = clock.now()
  const soon = new Date(now.getTime() + PARTITION_AHEAD_MS)
  const { any, missing } = await selectPartitions(database, [now, soon])
  if (!any) return ok('no readings yet; a gate makes room when it starts')
  if (missing.length === 0) return ok('for now and the next week')
  return warning(
    `none made for ${missing.join(' and ')}; a running gate would have`,
    'cleverctl gate serve',
  )
}
