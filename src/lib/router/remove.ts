import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { lockRouter } from './find.js'
import { abandonRotation } from './rotation/store.js'
import { markRemoved } from './store.js'

/** A router whose record was ended. */
export interface RemovedRouter {
  installation: string
  outcome: 'removed'
}

/**
 * Ends the record of a router and erases every version of its secrets, for good. The router itself is
 * not contacted.
 * @throws NotFoundError where none is recorded
 */
export async function removeRouter(
  { database, clock, actor }: Workspace,
  { installation }: { installation: string },
): Promise<RemovedRouter> {
  return database.transaction(async (transaction) => {
    const { id, driver, address, port } = await lockRouter(transaction, installation)
    const at = clock.now()
    await abandonRotation(transaction, id, at)
    await markRemoved(transaction, id, at)
    await appendTrail(transaction, actor, {
      action: 'router.remove',
      subject: installation,
      details: { driver, address, port },
    })
    return { installation, outcome: 'removed' }
  })
}
