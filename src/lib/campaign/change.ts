import type { Transaction } from '../database/database.js'
import { ConflictError, UsageError } from '../errors.js'
import { isSqlState, SqlState } from '../database/sqlstate.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import type { Operations } from './operation.js'
import { findCampaign, reportCampaign } from './report.js'
import { lockCampaign, updateResumed, updateState, updateWave } from './store.js'
import { forgetQueued, retryFailed, skipWaiting } from './target-store.js'
import type { Campaign, CampaignReport } from './types.js'

const MAX_REASON = 500

/** Nothing new is started from now on, by anybody, until the campaign is resumed. A campaign that has ended stays as it is. */
export async function pauseCampaign(
  workspace: Workspace,
  operations: Operations,
  asked: { id: string; reason: string | undefined },
): Promise<CampaignReport> {
  await change(workspace, asked, async (transaction, campaign, reason) => {
    if (campaign.state !== 'running') return undefined
    await updateState(transaction, campaign.id, {
      state: 'paused',
      reason,
      now: workspace.clock.now(),
    })
    return { action: 'campaign.pause', details: { reason } }
  })
  return reportCampaign(workspace, operations, asked.id)
}

/** Skips, for good, all targets that were not started. Targets that run are finished. */
export async function abortCampaign(
  workspace: Workspace,
  operations: Operations,
  asked: { id: string; reason: string | undefined },
): Promise<CampaignReport> {
  await change(workspace, asked, async (transaction, campaign, reason) => {
    if (campaign.state === 'done' || campaign.state === 'aborted') return undefined
    const now = workspace.clock.now()
    await updateState(transaction, campaign.id, { state: 'aborted', reason, now })
    const skipped = await skipWaiting(transaction, campaign.id, now)
    return { action: 'campaign.abort', details: { reason, skipped } }
  })
  return reportCampaign(workspace, operations, asked.id)
}

/**
 * Lets a campaign run again. Stop rules count anew from here on.
 * @param asked.retriesFailed targets that failed are tried once more, also when the campaign had ended
 * @param asked.isDetached leaves it to the workers; else whoever calls this runs it
 * Throws ConflictError for a campaign that was aborted, or whose failed targets another one holds.
 */
export async function resumeCampaign(
  workspace: Workspace,
  asked: { id: string; isDetached: boolean; retriesFailed: boolean },
): Promise<Campaign> {
  const { id, isDetached, retriesFailed } = asked
  const { clock } = workspace
  await change(workspace, { id, reason: undefined }, async (transaction, campaign) => {
    if (campaign.state === 'aborted') throw notResumable(campaign)
    const retried = retriesFailed ? await retry(transaction, campaign) : 0
    if (campaign.state === 'done' && retried === 0) return undefined
    const isChange = campaign.state !== 'running' || campaign.isDetached !== isDetached
    if (!isChange && retried === 0) return undefined
    await forgetQueued(transaction, id)
    await updateResumed(transaction, id, { isDetached, now: clock.now() })
    return {
      action: 'campaign.resume',
      details: { from: campaign.state, detached: isDetached, ...(retriesFailed && { retried }) },
    }
  })
  return findCampaign(workspace, id)
}

async function retry(
  transaction: Transaction,
  { id, wave, waveOpensAt }: Campaign,
): Promise<number> {
  try {
    const retried = await retryFailed(transaction, id)
    if (retried.wave !== undefined && retried.wave < wave)
      await updateWave(transaction, id, { wave: retried.wave, opensAt: waveOpensAt })
    return retried.count
  } catch (cause) {
    if (!isSqlState(cause, SqlState.UNIQUE_VIOLATION)) throw cause
    throw new ConflictError(
      'targets-held',
      `another campaign holds targets that failed in campaign ${id}`,
      { cause, suggestions: ['cleverctl campaign list'] },
    )
  }
}

/** Changes a campaign under its lock, and records it; nothing happens where `decide` gives nothing to record. */
async function change(
  workspace: Workspace,
  { id, reason }: { id: string; reason: string | undefined },
  decide: (
    transaction: Transaction,
    campaign: Campaign,
    reason: string | null,
  ) => Promise<{ action: string; details: Record<string, unknown> } | undefined>,
): Promise<void> {
  if (reason !== undefined && (reason.trim() === '' || reason.length > MAX_REASON))
    throw new UsageError('bad-reason', `a reason has 1 to ${MAX_REASON} characters`)
  await findCampaign(workspace, id)
  const { database, actor } = workspace
  await database.transaction(async (transaction) => {
    const campaign = await lockCampaign(transaction, id)
    if (campaign === undefined) throw new Error('a campaign that was there has no row')
    const by = `by ${actor.osUser}@${actor.host}`
    const done = await decide(transaction, campaign, reason === undefined ? by : `${by}: ${reason}`)
    if (done === undefined) return
    await appendTrail(transaction, actor, {
      action: done.action,
      subject: `campaign ${id}`,
      details: { operation: campaign.operation, ...done.details },
    })
  })
}

function notResumable({ id }: Campaign): ConflictError {
  return new ConflictError(
    'campaign-aborted',
    `campaign ${id} was aborted: what was not started is skipped for good`,
    { suggestions: [`cleverctl campaign show ${id}`, 'start a new one for what is left'] },
  )
}
