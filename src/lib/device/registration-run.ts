import type { Transaction } from '../database/database.js'
import { SqlState, isSqlState } from '../database/sqlstate.js'
import { ConflictError } from '../errors.js'
import type { Row } from '../rows/csv.js'
import { appendTrail, type TrailEntry } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { registerRows, type RegistrationCounts, type RegistrationOptions } from './registration.js'
import {
  prepareLongTransaction,
  describeLockHolder,
  hasImport,
  insertImport,
  tryLockRegistration,
  waitForRegistrationLock,
} from './registration-store.js'
import { SecretsOut } from './secrets-out.js'

/** What one run registers, and what it tells about it. */
export interface RegistrationRun extends Omit<RegistrationOptions, 'secrets'> {
  rows: AsyncIterable<readonly Row[]>
  /** File for the new devices' secrets; undefined for a dry run. */
  secretsOut: string | undefined
  /** Whether refused rows refuse the others as well. */
  isStrict: boolean
  /** What the trail says about a run that registered something. */
  trail: (counts: RegistrationCounts) => TrailEntry
}

/** How a run came out. */
export interface RegistrationOutcome extends RegistrationCounts {
  /** The file that holds the new secrets, or those of an interrupted run that is settled now. */
  secretsFile: string | undefined
}

/** Thrown to undo a strict run. */
class StrictRefusal extends Error {
  readonly counts: RegistrationCounts

  constructor(counts: RegistrationCounts) {
    super('a strict registration refused rows')
    this.counts = counts
  }
}

/**
 * Registers devices and delivers their secrets, both or neither, in one transaction under the lock
 * that keeps other registrations out. Settles first what an interrupted run left of the same file.
 * A strict run that refuses a row registers nothing.
 * @throws ConflictError when there are new devices and the secrets file exists
 */
export async function runRegistration(
  workspace: Workspace,
  run: RegistrationRun,
): Promise<RegistrationOutcome> {
  const { database, actor, clock, signal } = workspace
  const secrets = run.secretsOut === undefined ? undefined : new SecretsOut(run.secretsOut)
  let prepared: RegistrationOutcome | undefined
  let secretsSha256: Buffer | undefined
  try {
    prepared = await database.transaction(async (transaction) => {
      await prepareLongTransaction(transaction)
      if (secrets) await lockRegistration(workspace, transaction)
      const isSettled = await secrets?.settleLeftover(transaction)
      const counts = await registerRows(workspace, transaction, run.rows, { ...run, secrets })
      if (run.isStrict && counts.rejected > 0) throw new StrictRefusal(counts)
      const secretsFile = isSettled || secrets?.isBegun ? secrets?.path : undefined
      if (!secrets?.isBegun) return { ...counts, secretsFile }
      const digest = await secrets.publish()
      await insertImport(transaction, { ...counts, secretsSha256: digest, at: clock.now() })
      await appendTrail(transaction, actor, run.trail(counts))
      // From here on only the commit can fail, and then it may be its answer alone that was lost.
      secretsSha256 = digest
      prepared = { ...counts, secretsFile }
      return prepared
    })
  } catch (error) {
    const hasCommitted =
      secretsSha256 !== undefined && (await askWhetherCommitted(workspace, secretsSha256))
    if (hasCommitted === undefined) throw error
    if (!hasCommitted || !prepared) {
      await secrets?.discard()
      if (error instanceof StrictRefusal)
        return { ...error.counts, imported: 0, secretsFile: undefined }
      signal.throwIfAborted()
      throw isSqlState(error, SqlState.UNIQUE_VIOLATION) ? registeredMeanwhile() : error
    }
  }
  await secrets?.finish()
  return prepared
}

/**
 * Waits until no other registration runs; the lock ends with the transaction.
 * @throws ConflictError after a minute
 */
export async function lockRegistration(
  workspace: Workspace,
  transaction: Transaction,
): Promise<void> {
  if (await tryLockRegistration(transaction)) return
  const holder = await describeLockHolder(transaction)
  workspace.log.info(`waiting for another registration: ${holder}`)
  try {
    await waitForRegistrationLock(transaction)
  } catch (error) {
    if (!isSqlState(error, SqlState.LOCK_NOT_AVAILABLE)) throw error
    throw new ConflictError(
      'registration-locked',
      `another registration goes on for too long: ${holder}`,
      {
        suggestions: ['give the command again when it has ended'],
      },
    )
  }
}

/** Whether the import with this secrets file is in the database; undefined when nobody can tell now. */
async function askWhetherCommitted(
  workspace: Workspace,
  secretsSha256: Buffer,
): Promise<boolean | undefined> {
  try {
    return await workspace.database.transaction(async (transaction) => {
      // Until the lost connection's transaction has ended, the answer is not final.
      await waitForRegistrationLock(transaction)
      return hasImport(transaction, secretsSha256)
    })
  } catch {
    return undefined
  }
}

/** The error for a registration that another one has overtaken. */
export function registeredMeanwhile(): ConflictError {
  const message = 'one of these devices was registered by somebody else at this moment'
  return new ConflictError('registered-meanwhile', message, {
    suggestions: ['give the command again'],
  })
}
