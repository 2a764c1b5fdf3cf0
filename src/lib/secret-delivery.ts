import type { Database, Transaction } from './database/database.js'
import { UnreachableError } from './errors.js'
import type { Secret } from './secret.js'

/** How a new secret reaches its owner, once. */
export interface SecretDelivery {
  /**
   * Settles what an interrupted run of the same command left behind. `isCommitted` tells whether a
   * secret found in the left-over file is the one in the database.
   * @returns true when the former run had committed and its delivery is now complete
   */
  resume(isCommitted: (secret: Secret) => Promise<boolean>): Promise<boolean>
  /** Throws ExpectedError when the destination is taken, for those who must know before they begin. */
  requireFree?(): Promise<void>
  /** Makes the secret durable at its destination; called inside the transaction, right before commit. */
  stage(secret: Secret): Promise<void>
  /** After the commit. */
  finish(): Promise<void>
  /** After a rollback: the destination is as it was before. */
  discard(): Promise<void>
  /** After a commit whose outcome is unknown: everything stays as it is for `resume`. */
  leave?(): Promise<void>
  /** The secret for the JSON document, with --reveal only. */
  revealed(): string | undefined
}

/**
 * Runs `work` in a transaction and delivers the secret it made before committing, so that no crash
 * leaves a credential in force that nobody holds.
 */
export async function transactionWithDelivery<Result>(
  database: Database,
  delivery: SecretDelivery,
  work: (transaction: Transaction) => Promise<{ secret: Secret; result: Result }>,
): Promise<Result> {
  let result: Result
  let isStaged = false
  try {
    result = await database.transaction(async (transaction) => {
      const made = await work(transaction)
      await delivery.stage(made.secret)
      isStaged = true
      return made.result
    })
  } catch (error) {
    // A connection lost at the commit leaves open whether it happened: `resume` asks the database.
    const isUncertain = isStaged && error instanceof UnreachableError
    await (isUncertain ? delivery.leave?.() : delivery.discard())
    throw error
  }
  await delivery.finish()
  return result
}

/**
 * Gives away a secret that is in force and stays so.
 * @param open takes it out of where it is kept, after the trail has taken down who and why
 * @returns what `open` found, with the secret itself where that was asked for in the result
 * @throws ConflictError when a file is there already, before `open` is called; what `open` throws
 */
export async function giveAway<Found extends { secret: Secret }>(
  delivery: SecretDelivery,
  open: () => Promise<Found>,
): Promise<Omit<Found, 'secret'> & { secret?: string }> {
  // What an interrupted run left is removed: the secret has not changed, it is written again.
  await delivery.resume(async () => false)
  await delivery.requireFree?.()
  const { secret, ...found } = await open()
  try {
    await delivery.stage(secret)
  } catch (error) {
    await delivery.discard()
    throw error
  }
  await delivery.finish()
  const revealed = delivery.revealed()
  return { ...found, ...(revealed === undefined ? {} : { secret: revealed }) }
}
