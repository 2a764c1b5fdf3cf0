import type { Transaction } from '../database/database.js'
import { ConflictError } from '../errors.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { generateSigningKey } from './generate.js'
import {
  activateNext,
  endSigning,
  insertSigningKey,
  lockSigningKeys,
  retireLapsed,
  revokeAll,
  selectSigningKeys,
} from './store.js'
import { CLOCK_TOLERANCE_MS, MAX_TOKEN_TTL_MS, type SigningKey } from './types.js'

/** Longer than any verifier keeps a copy of the published keys. */
const MIN_PUBLISHED_MS = 120_000

/** Which keys a rotation left behind. */
export interface SigningKeyRotation {
  /** Signs from now on. */
  active: string
  /** Published, signs after the next rotation. */
  next: string
  /** The former key, whose tokens hold until `verifyUntil`; null at the first keys and with `isCompromised`. */
  former: { kid: string; verifyUntil: string } | null
  /** Keys whose tokens are refused from now on. */
  revoked: string[]
}

/**
 * Makes the published NEXT key the one that signs, keeps the former for verifying until its last token
 * is dead, erases its private half and publishes a new NEXT. Makes the first keys where there are none.
 *
 * `isCompromised` revokes every key there is, the published one included (it is sealed by the same
 * keyring), and begins anew: all tokens are refused at once and every device fetches another.
 * @param options.isUrgent activate NEXT even if verifiers may not have seen it yet
 * Throws ConflictError when NEXT was published after the ACTIVE key and less than two minutes ago.
 */
export async function rotateSigningKey(
  workspace: Workspace,
  options: { isUrgent: boolean; isCompromised: boolean },
): Promise<SigningKeyRotation> {
  const now = workspace.clock.now()
  return workspace.database.transaction(async (transaction) => {
    await lockSigningKeys(transaction)
    await retireLapsed(transaction, now)
    const revoked = options.isCompromised ? await revokeAll(transaction, now) : []
    const keys = await selectSigningKeys(transaction)
    const former = keys.find(({ state }) => state === 'ACTIVE')
    const next = keys.find(({ state }) => state === 'NEXT')

    if (next !== undefined && former !== undefined && !options.isUrgent)
      requirePublished(next, former, now)
    const verifyUntil = new Date(now.getTime() + MAX_TOKEN_TTL_MS + CLOCK_TOLERANCE_MS)
    await endSigning(transaction, verifyUntil)
    await activateNext(transaction, now)
    const rotation = {
      active: next?.kid ?? (await addKey(workspace, transaction, 'ACTIVE', now)),
      next: await addKey(workspace, transaction, 'NEXT', now),
      former: former ? { kid: former.kid, verifyUntil: verifyUntil.toISOString() } : null,
      revoked,
    }
    await appendTrail(transaction, workspace.actor, {
      action: 'signing-key.rotate',
      subject: rotation.active,
      details: { ...rotation, compromised: options.isCompromised },
    })
    return rotation
  })
}

function requirePublished(next: SigningKey, active: SigningKey, now: Date): void {
  // Made together (the first two keys), they were published together: who knows one knows the other.
  if (next.createdAt <= active.createdAt) return
  const waitMs = next.createdAt.getTime() + MIN_PUBLISHED_MS - now.getTime()
  if (waitMs <= 0) return
  throw new ConflictError(
    'signing-key-too-new',
    `signing key ${next.kid} was published less than ${MIN_PUBLISHED_MS / 60_000} minutes ago; verifiers may not know it yet`,
    {
      suggestions: [
        `wait ${Math.ceil(waitMs / 1000)} s, then: cleverctl signing-key rotate`,
        'cleverctl signing-key rotate --now',
      ],
    },
  )
}

async function addKey(
  workspace: Workspace,
  transaction: Transaction,
  state: 'ACTIVE' | 'NEXT',
  now: Date,
): Promise<string> {
  const key = await generateSigningKey(workspace)
  await insertSigningKey(transaction, key, state, now)
  return key.kid
}
