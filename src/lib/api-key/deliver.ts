import type { Transaction } from '../database/database.js'
import { transactionWithDelivery, type SecretDelivery } from '../secret-delivery.js'
import type { Secret } from '../secret.js'
import type { Workspace } from '../workspace.js'
import { apiKeyDigest, generateApiKey } from './format.js'
import { requireActiveOwner } from './owner.js'
import { sealIdentity } from './successor.js'
import { insertKey, lockOwner, selectKeyByDigest, type KeyOwner } from './store.js'
import type { NewApiKey } from './types.js'

/** What decides about the new key once its installation is locked. */
type Prepare = (transaction: Transaction, owner: KeyOwner) => Promise<Prepared>

interface Prepared {
  expiresAt: Date | null
  /** Former keys still open the gate, so a sealed copy is kept, from which loggers get the new one. */
  isHandedOver: boolean
  record: (made: NewApiKey) => Promise<void>
}

/**
 * Makes a CURRENT key for an installation and delivers it before the commit. `prepare` makes room for
 * it, under the installation's lock, and says how to record it. If an interrupted run of the same
 * command had committed, its delivery is completed and nothing else happens.
 */
export async function deliverNewKey(
  workspace: Workspace,
  asked: { installation: string; delivery: SecretDelivery },
  prepare: Prepare,
): Promise<NewApiKey> {
  const { installation, delivery } = asked
  const former = await resumeDelivery(workspace, installation, delivery)
  if (former !== undefined) return former
  const made = await transactionWithDelivery(workspace.database, delivery, async (transaction) => {
    const owner = requireActiveOwner(await lockOwner(transaction, installation), installation)
    const { expiresAt, isHandedOver, record } = await prepare(transaction, owner)
    const createdAt = workspace.clock.now()
    const { apiKey, keyId } = generateApiKey(workspace.random)
    const digest = apiKeyDigest(apiKey.reveal())
    const sealed = isHandedOver ? await seal(workspace, keyId, apiKey) : null
    const key = { ownerId: owner.id, keyId, digest, sealed, createdAt, expiresAt }
    const { version } = await insertKey(transaction, key)
    const result = show(installation, { keyId, version, createdAt, expiresAt })
    await record(result)
    return { secret: apiKey, result }
  })
  const revealed = delivery.revealed()
  return revealed === undefined ? made : { ...made, apiKey: revealed }
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
  return isComplete && found !== undefined ? show(installation, found) : undefined
}

function show(
  installation: string,
  key: { keyId: string; version: number; createdAt: Date; expiresAt: Date | null },
): NewApiKey {
  return {
    installation,
    keyId: key.keyId,
    version: key.version,
    createdAt: key.createdAt.toISOString(),
    expiresAt: key.expiresAt?.toISOString() ?? null,
  }
}
