import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { lockHost, markHostRemoved } from './store.js'
import { unknownHost } from './types.js'

/** A host whose record was ended. */
export interface RemovedHost {
  name: string
  outcome: 'removed'
}

/**
 * Ends the record of a host and erases the private key that opens it. The host is not contacted.
 * @throws NotFoundError where none is recorded
 */
export async function removeHost(
  { database, clock, actor }: Workspace,
  { name }: { name: string },
): Promise<RemovedHost> {
  return database.transaction(async (transaction) => {
    const host = await lockHost(transaction, name)
    if (host === undefined) throw unknownHost(name)
    await markHostRemoved(transaction, host.id, clock.now())
    const { role, address, port } = host
    await appendTrail(transaction, actor, {
      action: 'host.remove',
      subject: name,
      details: { role, address, port },
    })
    return { name, outcome: 'removed' }
  })
}
