import { ConflictError, ExpectedError, PartialError, UnreachableError } from '../errors.js'
import { Secret } from '../secret.js'
import { handOut, SinkFailure, type HandedOut, type SinkReport } from '../sink/hand-out.js'
import type { Sink } from '../sink/types.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { abandonKey } from './abandon.js'
import { apiKeyDigest, generateApiKey } from './format.js'
import { showNewKey, type Prepare } from './new-key.js'
import { requireActiveOwner } from './owner.js'
import {
  insertKey,
  lockOwner,
  promoteKey,
  selectKeyByDigest,
  selectPendingKey,
  tryLockDelivery,
} from './store.js'
import { sealIdentity } from './successor.js'
import type { NewApiKey } from './types.js'

/** A PENDING key, opened. */
interface Waiting {
  keyId: string
  version: number
  createdAt: Date
  apiKey: Secret
}

/** What a delivery that failed tells. */
export interface UndeliveredKey {
  installation: string
  /** The key that was made for it and is revoked. */
  keyId: string
  sinks: readonly SinkReport[]
}

/** Thrown to undo a rehearsal. */
class Rehearsed extends Error {}

/**
 * Makes a new key, gives it to all sinks, and only when all of them have confirmed makes it CURRENT and lets the
 * grace of the former ones begin. Until then it is PENDING: gates do not accept it, and the former key works
 * as before. A run that was killed is finished by giving the command again: it delivers the same key.
 * @param prepare decides, under the installation's lock, as for `deliverNewKey`
 * Throws PartialError when a sink failed; ConflictError while another delivery is under way; what `prepare` throws
 */
export async function deliverToSinks(
  workspace: Workspace,
  asked: { installation: string; sinks: readonly Sink[] },
  prepare: Prepare,
): Promise<NewApiKey> {
  const { installation, sinks } = asked
  await rehearse(workspace, installation, prepare)
  for (const sink of sinks) await sink.check()
  let made: NewApiKey | undefined
  try {
    await workspace.database.transaction(async (lock) => {
      if (!(await tryLockDelivery(lock, installation))) throw deliveryRunning(installation)
      const waiting = await pendingKey(workspace, asked)
      const handedOut = await handOutOrRevoke(workspace, asked, waiting)
      made = await confirm(workspace, { installation, waiting, handedOut }, prepare)
    })
  } catch (error) {
    // When the lock's own connection was lost, the delivery is none the worse.
    if (made === undefined) throw error
  }
  if (made === undefined) throw new Error('a delivery ended without a key')
  return { ...made, deliveredTo: sinks.map(({ name }) => name) }
}

/** Finds out beforehand whether the new key could become CURRENT. */
async function rehearse(
  { database }: Workspace,
  installation: string,
  prepare: Prepare,
): Promise<void> {
  try {
    await database.transaction(async (transaction) => {
      const owner = requireActiveOwner(await lockOwner(transaction, installation), installation)
      await prepare(transaction, owner)
      throw new Rehearsed()
    })
  } catch (error) {
    if (!(error instanceof Rehearsed)) throw error
  }
}

/** The key that an interrupted run left, or a new one. */
async function pendingKey(
  workspace: Workspace,
  { installation, sinks }: { installation: string; sinks: readonly Sink[] },
): Promise<Waiting> {
  const keyring = await workspace.keyring()
  return workspace.database.transaction(async (transaction) => {
    const owner = requireActiveOwner(await lockOwner(transaction, installation), installation)
    const left = await selectPendingKey(transaction, owner.id)
    if (left?.sealed) {
      const text = keyring.open(left.sealed, sealIdentity(left.keyId)).toString('utf8')
      return { ...left, apiKey: new Secret(text) }
    }
    if (left) await abandonKey(workspace, transaction, { installation, owner, ...left })
    const createdAt = workspace.clock.now()
    const { apiKey, keyId } = generateApiKey(workspace.random)
    const sealed = keyring.seal(Buffer.from(apiKey.reveal()), sealIdentity(keyId))
    const digest = apiKeyDigest(apiKey.reveal())
    const row = { ownerId: owner.id, keyId, digest, sealed, createdAt, expiresAt: null }
    const { version } = await insertKey(transaction, { ...row, state: 'PENDING' })
    await appendTrail(transaction, workspace.actor, {
      action: 'api-key.prepare',
      subject: installation,
      details: { keyId, version, sinks: sinks.map(({ name }) => name) },
    })
    return { keyId, version, createdAt, apiKey }
  })
}

async function handOutOrRevoke(
  workspace: Workspace,
  { installation, sinks }: { installation: string; sinks: readonly Sink[] },
  { keyId, apiKey }: Waiting,
): Promise<HandedOut> {
  try {
    return await handOut(sinks, apiKey, workspace)
  } catch (error) {
    if (!(error instanceof SinkFailure)) throw error
    await abandon(workspace, { installation, keyId, sinks: error.reports })
    workspace.signal.throwIfAborted()
    throw notDelivered({ installation, keyId, sinks: error.reports }, error.cause)
  }
}

/** All sinks have the key: in one transaction it becomes CURRENT, and the grace of the former ones begins. */
async function confirm(
  workspace: Workspace,
  made: { installation: string; waiting: Waiting; handedOut: HandedOut },
  prepare: Prepare,
): Promise<NewApiKey> {
  const { installation, waiting, handedOut } = made
  const { keyId, version, createdAt } = waiting
  try {
    return await workspace.database.transaction(async (transaction) => {
      const owner = requireActiveOwner(await lockOwner(transaction, installation), installation)
      const { expiresAt, isHandedOver, record } = await prepare(transaction, owner)
      if (!(await promoteKey(transaction, owner.id, { keyId, expiresAt, isHandedOver })))
        throw overtaken(installation, keyId)
      const result = showNewKey(installation, { keyId, version, createdAt, expiresAt })
      await record(result)
      return result
    })
  } catch (error) {
    if (error instanceof UnreachableError)
      return settle(workspace, { installation, waiting }, error)
    const sinks = await handedOut.putBack()
    await abandon(workspace, { installation, keyId, sinks })
    throw error
  }
}

/** The connection was lost at the commit: the database knows whether it happened. */
async function settle(
  { database }: Workspace,
  { installation, waiting }: { installation: string; waiting: Waiting },
  lost: UnreachableError,
): Promise<NewApiKey> {
  const digest = apiKeyDigest(waiting.apiKey.reveal())
  const found = await selectKeyByDigest(database, installation, digest).catch(() => undefined)
  if (found?.state === 'CURRENT') return showNewKey(installation, found)
  throw new UnreachableError(lost.code, lost.message, {
    cause: lost,
    suggestions: [
      ...lost.suggestions,
      `key ${waiting.keyId} is delivered and waits: give the command again to bring it into force`,
    ],
  })
}

/** A key that was not delivered is of no use to anybody. */
async function abandon(
  workspace: Workspace,
  { installation, keyId, sinks }: UndeliveredKey,
): Promise<void> {
  await workspace.database.transaction(async (transaction) => {
    const owner = await lockOwner(transaction, installation)
    const pending = owner && (await selectPendingKey(transaction, owner.id))
    if (owner === undefined || pending?.keyId !== keyId) return
    await abandonKey(workspace, transaction, { installation, owner, keyId, sinks })
  })
}

function notDelivered(undelivered: UndeliveredKey, cause: unknown): PartialError {
  const failed = undelivered.sinks.find(({ outcome }) => outcome === 'failed')
  const kept = undelivered.sinks.filter(({ outcome }) => outcome === 'kept')
  return new PartialError(
    'not-delivered',
    `the new key was not delivered (${failed?.reason ?? 'a sink failed'}); it is revoked, and the keys in force are what they were`,
    {
      cause,
      result: undelivered,
      suggestions: [
        ...(cause instanceof ExpectedError ? cause.suggestions : []),
        ...kept.map(({ sink }) => `${sink} has the revoked key and cannot be put back: look at it`),
      ],
    },
  )
}

function deliveryRunning(installation: string): ConflictError {
  return new ConflictError(
    'delivery-running',
    `another delivery of a key of installation ${installation} is under way`,
    { suggestions: ['give the command again when it has ended'] },
  )
}

function overtaken(installation: string, keyId: string): ConflictError {
  return new ConflictError(
    'delivery-overtaken',
    `key ${keyId} of installation ${installation} was revoked while it was delivered`,
    { suggestions: [`cleverctl api-key list ${installation}`] },
  )
}
