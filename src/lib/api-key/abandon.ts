import type { Transaction } from '../database/database.js'
import type { SinkReport } from '../sink/hand-out.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { revokeKeys, type KeyOwner } from './store.js'

/**
 * Gives up a PENDING key: one that was not delivered, or that a newer one overtakes.
 * @param key.sinks what became of those that were to get it, for the trail
 */
export async function abandonKey(
  { clock, actor }: Workspace,
  transaction: Transaction,
  key: { installation: string; owner: KeyOwner; keyId: string; sinks?: readonly SinkReport[] },
): Promise<void> {
  const { installation, owner, keyId, sinks } = key
  const reason = 'not delivered'
  await revokeKeys(transaction, owner.id, { keyIds: [keyId], reason, now: clock.now() })
  await appendTrail(transaction, actor, {
    action: 'api-key.revoke',
    subject: installation,
    details: { keyIds: [keyId], reason, ...(sinks && { sinks }) },
  })
}
