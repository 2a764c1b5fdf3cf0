import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { releaseLost } from './claim-store.js'
import { selectCourse } from './course-store.js'
import { MAX_ATTEMPTS } from './perform.js'
import { totalsOf } from './report.js'
import { stopReason } from './stop-rule.js'
import { lockCampaign, selectCampaign, updateState, updateWave } from './store.js'
import { countByWave, selectWaveState, type WaveState } from './target-store.js'
import type { Campaign } from './types.js'

/** A campaign after it was brought to where it stands. */
export interface Advanced {
  campaign: Campaign
  /** The wave under way; undefined when the campaign does not run. */
  wave: WaveState | undefined
}

/**
 * Brings a running campaign to where its targets have brought it: gives back what lost runners held, stops it by its
 * rules, goes on to the next wave, or ends it. Any number of processes may do so at the same time.
 * @param runner whoever asks; its own targets are not given back
 */
export async function advanceCampaign(
  workspace: Workspace,
  id: string,
  runner: string,
): Promise<Advanced> {
  const { database, clock } = workspace
  const campaign = await selectCampaign(database, id)
  if (campaign === undefined) throw new Error('a campaign that is run has no row')
  if (campaign.state !== 'running') return { campaign, wave: undefined }
  const now = clock.now()
  await releaseLost(database, { campaign: id, runner, now }, MAX_ATTEMPTS)
  const reason = stopReason(campaign, await selectCourse(database, campaign, now))
  const wave = await selectWaveState(database, campaign)
  const isOver = wave.waiting === 0 && wave.running === 0
  if (reason === undefined && !isOver) return { campaign, wave }
  return settleWave(workspace, campaign)
}

/**
 * Looks once more, now that nobody else can change the campaign's state, and changes it. The last target of the
 * wave may have failed since.
 */
async function settleWave(workspace: Workspace, { id, wave: number }: Campaign): Promise<Advanced> {
  const { database, clock, actor } = workspace
  return database.transaction(async (transaction) => {
    const campaign = await lockCampaign(transaction, id)
    if (campaign === undefined) throw new Error('a campaign that is run has no row')
    if (campaign.state !== 'running' || campaign.wave !== number)
      return { campaign, wave: undefined }
    const now = clock.now()
    const subject = `campaign ${id}`
    const wave = await selectWaveState(transaction, campaign)
    const reason = stopReason(campaign, await selectCourse(transaction, campaign, now))
    if (reason !== undefined) {
      await updateState(transaction, id, { state: 'stopped', reason, now })
      const details = { operation: campaign.operation, reason, wave: number }
      await appendTrail(transaction, actor, { action: 'campaign.stop', subject, details })
      return { campaign: { ...campaign, state: 'stopped', reason }, wave: undefined }
    }
    if (wave.waiting > 0 || wave.running > 0) return { campaign, wave }
    if (wave.next !== null) {
      const { wavePauseMs } = campaign.pace
      const opensAt = wavePauseMs === 0 ? null : new Date(now.getTime() + wavePauseMs)
      await updateWave(transaction, id, { wave: wave.next, opensAt })
      const next = { ...campaign, wave: wave.next, waveOpensAt: opensAt }
      return { campaign: next, wave: await selectWaveState(transaction, next) }
    }
    await updateState(transaction, id, { state: 'done', reason: null, now })
    const { done, unchanged, failed } = totalsOf(await countByWave(transaction, id))
    const details = { operation: campaign.operation, done, unchanged, failed }
    await appendTrail(transaction, actor, { action: 'campaign.finish', subject, details })
    return { campaign: { ...campaign, state: 'done' }, wave: undefined }
  })
}
