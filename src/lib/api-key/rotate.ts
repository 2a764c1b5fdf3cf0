import { ConflictError } from '../errors.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { deliverNewKey } from './deliver.js'
import type { KeyDestination } from './new-key.js'
import { requireOwner } from './owner.js'
import { endFormerKeys, selectKeys, selectOwner } from './store.js'
import {
  requireLifetime,
  requireOverlap,
  showApiKey,
  type ApiKey,
  type NewApiKey,
  type Overlap,
  type ShownApiKey,
} from './types.js'

/** The new key, and the former ones that still open the gate for a while. */
export interface RotatedApiKey extends NewApiKey {
  grace: ShownApiKey[]
}

/**
 * Makes a new current key. Every former key works on for the overlap at the longest: the one that was
 * current, and those of earlier rotations whose grace is still running. None outlives its own expiry
 * or an earlier end, and an overlap of 0 ends them all at once. As long as one works, gates hand the new
 * key to each device that comes with it.
 * @param asked.overlap grace 0 without adoption for a key that leaked
 * @param asked.lifetimeMs how long the new key works; undefined = as long as the former was made for
 * @param asked.delivery with sinks the key becomes current when all have confirmed it; PartialError when one fails
 * Throws NotFoundError, ConflictError (retired installation, nothing to rotate), UsageError.
 */
export async function rotateApiKey(
  workspace: Workspace,
  asked: {
    installation: string
    overlap: Overlap
    lifetimeMs: number | undefined
    delivery: KeyDestination
  },
): Promise<RotatedApiKey> {
  const { installation, overlap } = asked
  requireOverlap(overlap)
  requireLifetime(asked.lifetimeMs)
  const overlapMs = overlap.adoption?.hardDeadlineMs ?? overlap.graceMs
  const made = await deliverNewKey(workspace, asked, async (transaction, owner) => {
    const now = workspace.clock.now()
    const keys = await selectKeys(transaction, owner.id)
    const current = keys.find(({ state }) => state === 'CURRENT')
    if (current === undefined) throw nothingCurrent(installation)
    const deadline = new Date(now.getTime() + overlapMs)
    const adoption = overlap.adoption && {
      percent: overlap.adoption.percent,
      from: new Date(now.getTime() + overlap.graceMs),
    }
    await endFormerKeys(transaction, owner.id, { now, deadline, adoption })
    const lifetimeMs = asked.lifetimeMs ?? lifetimeOf(current)
    return {
      expiresAt: lifetimeMs === undefined ? null : new Date(now.getTime() + lifetimeMs),
      isHandedOver: overlapMs > 0,
      record: ({ keyId, version, expiresAt }) =>
        appendTrail(transaction, workspace.actor, {
          action: 'api-key.rotate',
          subject: installation,
          details: {
            keyId,
            version,
            expiresAt,
            formerKeyId: current.keyId,
            formerKeysEndBy: deadline.toISOString(),
            ...(adoption && {
              adoptionPercent: adoption.percent,
              adoptionFrom: adoption.from.toISOString(),
            }),
          },
        }),
    }
  })
  const owner = requireOwner(await selectOwner(workspace.database, installation), installation)
  const now = workspace.clock.now()
  const shown = (await selectKeys(workspace.database, owner.id)).map((key) => showApiKey(key, now))
  return { ...made, grace: shown.filter(({ state }) => state === 'GRACE') }
}

function lifetimeOf({ createdAt, expiresAt }: ApiKey): number | undefined {
  return expiresAt === null ? undefined : expiresAt.getTime() - createdAt.getTime()
}

function nothingCurrent(installation: string): ConflictError {
  return new ConflictError(
    'no-current-api-key',
    `installation ${installation} has no current API key to rotate`,
    { suggestions: [`cleverctl api-key issue ${installation} --output key.txt`] },
  )
}
