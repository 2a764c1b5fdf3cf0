import { NotFoundError } from '../errors.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { requireOwner } from './owner.js'
import { apiKeyStanding } from './standing.js'
import { showStraggler, type Straggler } from './status.js'
import { selectDarkDevices } from './status-store.js'
import { lockOwner, revokeKeys, selectKeys } from './store.js'
import { requireReason, type ApiKey } from './types.js'

/** Which keys were revoked just now, by key id, and which had been before. */
export interface RevokedApiKeys {
  installation: string
  revoked: string[]
  unchanged: string[]
  /** The key that devices are to be given; null when none is left. */
  currentKeyId: string | null
  /** Devices that were never seen with a key that still works: they cannot send, nor fetch a new one. */
  dark: Straggler[]
}

/**
 * Revokes one key of an installation, or with `keyId` undefined all that could still open the gate.
 * Gates refuse them within a second.
 * Throws NotFoundError when there is no such installation or key, UsageError for an empty reason.
 */
export async function revokeApiKey(
  workspace: Workspace,
  asked: { installation: string; keyId: string | undefined; reason: string },
): Promise<RevokedApiKeys> {
  const { installation, keyId, reason } = asked
  requireReason(reason)
  return workspace.database.transaction(async (transaction) => {
    const owner = requireOwner(await lockOwner(transaction, installation), installation)
    const now = workspace.clock.now()
    const keys = await selectKeys(transaction, owner.id)
    const meant =
      keyId === undefined ? keys.filter(isAlive(now)) : [find(keys, keyId, installation)]
    const revoked = meant.filter((key) => key.state !== 'REVOKED').map((key) => key.keyId)
    const unchanged = meant.filter((key) => key.state === 'REVOKED').map((key) => key.keyId)
    if (revoked.length > 0) {
      await revokeKeys(transaction, owner.id, { keyIds: revoked, reason, now })
      await appendTrail(transaction, workspace.actor, {
        action: 'api-key.revoke',
        subject: installation,
        details: { keyIds: revoked, reason },
      })
    }
    const left = keys.filter((key) => !revoked.includes(key.keyId))
    const current = left.find((key) => apiKeyStanding(key, now) === 'CURRENT')
    const dark = await selectDarkDevices(transaction, { installationId: owner.id, now })
    return {
      installation,
      revoked,
      unchanged,
      currentKeyId: current?.keyId ?? null,
      dark: dark.map(showStraggler),
    }
  })
}

function isAlive(now: Date) {
  return (key: ApiKey) => ['PENDING', 'CURRENT', 'GRACE'].includes(apiKeyStanding(key, now))
}

function find(keys: readonly ApiKey[], keyId: string, installation: string): ApiKey {
  const found = keys.find((key) => key.keyId === keyId)
  if (found !== undefined) return found
  throw new NotFoundError(
    'api-key-not-found',
    `installation ${installation} has no API key ${keyId}`,
    {
      suggestions: [`cleverctl api-key list ${installation}`],
    },
  )
}
