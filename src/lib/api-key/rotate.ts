import type { Transaction } from '../database/database.js'
import { ConflictError } from '../errors.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { deliverNewKey } from './deliver.js'
import type { KeyDestination, Prepared } from './new-key.js'
import { requireOwner } from './owner.js'
import { endFormerKeys, selectKeys, selectOwner, type KeyOwner } from './store.js'
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
  const made = await deliverNewKey(workspace, asked, async (transaction, owner) => {
    const keys = await selectKeys(transaction, owner.id)
    const current = keys.find(({ state }) => state === 'CURRENT')
    if (current === undefined) throw nothingCurrent(installation)
    return replaceKey(workspace, transaction, { ...asked, owner, current })
  })
  const owner = requireOwner(await selectOwner(workspace.database, installation), installation)
  const now = workspace.clock.now()
  const shown = (await selectKeys(workspace.database, owner.id)).map((key) => showApiKey(key, now))
  return { ...made, grace: shown.filter(({ state }) => state === 'GRACE') }
}

/**
 * Makes room for the key that comes after `current`: former keys end with the overlap.
 * @returns how to make the new one, and to record the rotation
 */
export async function replaceKey(
  { clock, actor }: Workspace,
  transaction: Transaction,
  asked: {
    installation: string
    owner: KeyOwner
    current: ApiKey
    overlap: Overlap
    lifetimeMs: number | undefined
    /** Of which the rotation is a part. */
    campaign?: string
  },
): Promise<Prepared> {
  const { installation, owner, current, overlap, campaign } = asked
  const now = clock.now()
  const overlapMs = overlap.adoption?.hardDeadlineMs ?? overlap.graceMs
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
      appendTrail(transaction, actor, {
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
          ...(campaign !== undefined && { campaign }),
        },
      }),
  }
}

function lifetimeOf({ createdAt, expiresAt }: ApiKey): number | undefined {
  return expiresAt === null ? undefined : expiresAt.getTime() - createdAt.getTime()
}

/** The error for an installation that has no key to replace. */
export function nothingCurrent(installation: string): ConflictError {
  return new ConflictError(
    'no-current-api-key',
    `installation ${installation} has no current API key to rotate`,
    { suggestions: [`cleverctl api-key issue ${installation} --output key.txt`] },
  )
}
