import { ConflictError } from '../errors.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { deliverNewKey } from './deliver.js'
import type { KeyDestination } from './new-key.js'
import { apiKeyStanding } from './standing.js'
import { retireExpiredCurrent, selectKeys } from './store.js'
import { requireLifetime, type NewApiKey } from './types.js'

/**
 * Makes an installation's first API key, or the next one where none is current any more. Former keys
 * that still have their grace keep it.
 * @param asked.lifetimeMs how long the key works; undefined = until it is rotated or revoked
 * @param asked.delivery with sinks the key becomes current when all have confirmed it; PartialError when one fails
 * Throws NotFoundError, ConflictError (retired installation, a current key exists), UsageError.
 */
export async function issueApiKey(
  workspace: Workspace,
  asked: { installation: string; lifetimeMs: number | undefined; delivery: KeyDestination },
): Promise<NewApiKey> {
  requireLifetime(asked.lifetimeMs)
  const { installation, lifetimeMs } = asked
  return deliverNewKey(workspace, asked, async (transaction, owner) => {
    const now = workspace.clock.now()
    const keys = await selectKeys(transaction, owner.id)
    const current = keys.find((key) => apiKeyStanding(key, now) === 'CURRENT')
    if (current !== undefined)
      throw new ConflictError(
        'api-key-exists',
        `installation ${installation} has a current API key, ${current.keyId}`,
        { suggestions: [`cleverctl api-key rotate ${installation} --output key2.txt`] },
      )
    await retireExpiredCurrent(transaction, owner.id, now)
    return {
      expiresAt: lifetimeMs === undefined ? null : new Date(now.getTime() + lifetimeMs),
      isHandedOver: keys.some((key) => apiKeyStanding(key, now) === 'GRACE'),
      record: ({ keyId, version, expiresAt }) =>
        appendTrail(transaction, workspace.actor, {
          action: 'api-key.issue',
          subject: installation,
          details: { keyId, version, expiresAt },
        }),
    }
  })
}
