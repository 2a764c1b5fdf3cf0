import type { Transaction } from '../database/database.js'
import { transactionWithDelivery, type SecretDelivery } from '../secret-delivery.js'
import type { Secret } from '../secret.js'
import type { Workspace } from '../workspace.js'
import { abandonKey } from './abandon.js'
import { deliverToSinks } from './deliver-to-sinks.js'
import { apiKeyDigest, generateApiKey } from './format.js'
import { showNewKey, type KeyDestination, type Prepare, type Prepared } from './new-key.js'
import { requireActiveOwner } from './owner.js'
import { sealIdentity } from './successor.js'
import {
  insertKey,
  lockOwner,
  selectKeyByDigest,
  selectPendingKey,
  type KeyOwner,
} from './store.js'
import type { NewApiKey } from './types.js'

/**
 * Makes a CURRENT key for an installation and delivers it before the commit. `prepare` makes room for
 * it, under the installation's lock, and says how to record it; a key that waits for sinks is given up. If an interrupted run of the same
 * command had committed, its delivery is completed and nothing else happens.
 */
export async function deliverNewKey(
  workspace: Workspace,
  asked: { installation: string; delivery: KeyDestination },
  prepare: Prepare,
): Promise<NewApiKey> {
  const { installation, delivery } = asked
  if (!('stage' in delivery))
    return deliverToSinks(workspace, { installation, sinks: delivery }, prepare)
  const former = await resumeDelivery(workspace, installation, delivery)
  if (former !== undefined) return former
  const made = await transactionWithDelivery(workspace.database, delivery, async (transaction) => {
    const owner = requireActiveOwner(await lockOwner(transaction, installation), installation)
    const waiting = await selectPendingKey(transaction, owner.id)
    if (waiting) await abandonKey(workspace, transaction, { installation, owner, ...waiting })
    const prepared = await prepare(transaction, owner)
    return insertNewKey(workspace, transaction, { installation, owner, prepared })
  })
  const revealed = delivery.revealed()
  return revealed === undefined ? made : { ...made, apiKey: revealed }
}

/** Makes the new CURRENT key for which room was made, and records it. */
export async function insertNewKey(
  workspace: Workspace,
  transaction: Transaction,
  made: { installation: string; owner: KeyOwner; prepared: Prepared },
): Promise<{ secret: Secret; result: NewApiKey }> {
  const { installation, owner, prepared } = made
  const { expiresAt, isHandedOver, record } = prepared
  const createdAt = workspace.clock.now()
  const { apiKey, keyId } = generateApiKey(workspace.random)
  const digest = apiKeyDigest(apiKey.reveal())
  const sealed = isHandedOver ? await seal(workspace, keyId, apiKey) : null
  const key = { ownerId: owner.id, keyId, digest, sealed, createdAt, expiresAt }
  const { version } = await insertKey(transaction, key)
  const result = showNewKey(installation, { keyId, version, createdAt, expiresAt })
  await record(result)
  return { secret: apiKey, result }
}

async function seal(workspace: Workspace, keyId: string, apiKey: Secret): Promise<Buffer> {
  const keyring = await workspace.keyring()
  return keyring.seal(Buffer.from(apiKey.reveal()), sealIdentity(keyId))
}

async function resumeDelivery(
  { database }: Workspace,
  installation: string,
  delivery: SecretDelivery,
): Promise<NewApiKey | undefined> {
  const find = (secret: Secret) =>
    selectKeyByDigest(database, installation, apiKeyDigest(secret.reveal()))
  let found: Awaited<ReturnType<typeof find>>
  const isComplete = await delivery.resume(async (secret) => {
    found = await find(secret)
    return found !== undefined
  })
  return isComplete && found !== undefined ? showNewKey(installation, found) : undefined
}
