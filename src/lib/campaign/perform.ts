import type { Transaction } from '../database/database.js'
import { CancelledError, ConflictError, ExpectedError, UnreachableError } from '../errors.js'
import type { Workspace } from '../workspace.js'
import { finishTarget, lockClaim, releaseTargets, type Claim } from './claim-store.js'
import type { Operation, Outcome } from './operation.js'
import type { Campaign } from './types.js'

/** So often a target is begun, when whoever works on it ends in the middle or is locked out. */
export const MAX_ATTEMPTS = 5
const MAX_MESSAGE = 500

/** Thrown in a transaction whose target is in other hands: it must change nothing. */
class ClaimLost extends Error {}

/** What became of a claim: an outcome, or it was given back for another attempt. */
export type Performed = Outcome | { state: 'waiting' }

/**
 * Carries the operation out on a claimed target and records the outcome. What went wrong with the target is its
 * outcome; only what stands against the whole run is thrown: UnreachableError, or a cancelled statement.
 */
export async function performTarget(
  workspace: Workspace,
  given: { campaign: Campaign; operation: Operation; runner: string; claim: Claim },
): Promise<Performed> {
  const { campaign, operation, runner, claim } = given
  const { database } = workspace
  const claimant = { campaign: campaign.id, runner }
  let settled: Outcome | undefined

  const settle = async (work: (transaction: Transaction) => Promise<Outcome>): Promise<Outcome> => {
    settled = await database.transaction(async (transaction) => {
      if (!(await lockClaim(transaction, claimant, claim))) throw new ClaimLost()
      const outcome = await work(transaction)
      await record(workspace, transaction, { campaign, claim, outcome })
      return outcome
    })
    return settled
  }

  try {
    const outcome = await operation.perform(workspace, claim.target, {
      parameters: campaign.parameters,
      campaign: campaign.id,
      startedAt: campaign.createdAt,
      settle,
    })
    return settled ?? (await settle(async () => outcome))
  } catch (error) {
    // The transaction that settled it was committed: what came after it changes nothing.
    if (settled) return settled
    if (error instanceof ClaimLost) return { state: 'waiting' }
    const isRunsTrouble = error instanceof UnreachableError || error instanceof CancelledError
    const mayPass = isLocked(error) && claim.attempt < MAX_ATTEMPTS
    if (isRunsTrouble || mayPass) {
      // Where the database is away the runner's lock is gone as well, and with it its hold on the target.
      await releaseTargets(database, claimant, [claim.position]).catch(() => undefined)
      if (isRunsTrouble) throw error
      return { state: 'waiting' }
    }
    return settleFailure(settle, failureOf(error))
  }
}

/** Records a target that cannot even be begun. */
export async function failTarget(
  workspace: Workspace,
  given: { campaign: Campaign; runner: string; claim: Claim; code: string; message: string },
): Promise<void> {
  const { campaign, runner, claim, code, message } = given
  await workspace.database.transaction(async (transaction) => {
    if (!(await lockClaim(transaction, { campaign: campaign.id, runner }, claim))) return
    const outcome: Outcome = { state: 'failed', code, message }
    await record(workspace, transaction, { campaign, claim, outcome })
  })
}

async function settleFailure(
  settle: (work: () => Promise<Outcome>) => Promise<Outcome>,
  failure: Outcome,
): Promise<Performed> {
  try {
    return await settle(async () => failure)
  } catch (error) {
    if (error instanceof ClaimLost) return { state: 'waiting' }
    throw error
  }
}

async function record(
  { clock }: Workspace,
  transaction: Transaction,
  { campaign, claim, outcome }: { campaign: Campaign; claim: Claim; outcome: Outcome },
): Promise<void> {
  const failure = outcome.state === 'failed' ? outcome : undefined
  await finishTarget(
    transaction,
    { campaign: campaign.id, now: clock.now() },
    {
      position: claim.position,
      state: outcome.state,
      code: failure?.code ?? null,
      message: failure?.message.slice(0, MAX_MESSAGE) ?? null,
      isWatched: campaign.pace.maxRefusals !== null,
    },
  )
}

/** Somebody else changes the same objects at this moment; the database's floor says so by this code. */
function isLocked(error: unknown): boolean {
  return error instanceof ConflictError && error.code === 'locked'
}

/** A message that is none of ours may hold values. */
function failureOf(error: unknown): Outcome {
  return error instanceof ExpectedError
    ? { state: 'failed', code: error.code, message: error.message }
    : { state: 'failed', code: 'bug', message: 'unexpected fault in cleverctl' }
}
