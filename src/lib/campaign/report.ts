import { NotFoundError, UsageError } from '../errors.js'
import type { Workspace } from '../workspace.js'
import type { Operations } from './operation.js'
import { isAnybodyThere } from './presence.js'
import { selectCampaign } from './store.js'
import { countByWave, selectFailed, selectWaveState } from './target-store.js'
import {
  TARGET_STATES,
  type Campaign,
  type CampaignReport,
  type Counts,
  type Waiting,
} from './types.js'

/** So many failures are named; more are counted. */
const MAX_NAMED = 100

/**
 * How a campaign stands: its waves, what failed with the next step, and what it waits for.
 * Throws NotFoundError when there is none with this id.
 */
export async function reportCampaign(
  workspace: Workspace,
  operations: Operations,
  id: string,
): Promise<CampaignReport> {
  const { database } = workspace
  const campaign = await findCampaign(workspace, id)
  const waves = await countByWave(database, id)
  const failed = await selectFailed(database, id, MAX_NAMED)
  const { operation, parameters, pace, state, reason, wave, isDetached, createdBy } = campaign
  return {
    id,
    operation,
    parameters,
    pace,
    state,
    reason,
    stateSince: campaign.stateSince.toISOString(),
    detached: isDetached,
    createdAt: campaign.createdAt.toISOString(),
    createdBy,
    targets: waves.reduce((sum, { targets }) => sum + targets, 0),
    wave,
    counts: totalsOf(waves),
    waves,
    failed: failed.map((row) => ({
      ...row,
      next: operations[operation]?.nextStep(row.target) ?? `cleverctl campaign show ${id}`,
    })),
    waitsFor: await waitingOf(workspace, campaign),
  }
}

/** The campaign with this id. Throws UsageError for what is no id, NotFoundError when there is none. */
export async function findCampaign({ database }: Workspace, id: string): Promise<Campaign> {
  if (!/^[1-9]\d{0,17}$/.test(id))
    throw new UsageError('bad-campaign-id', 'the id of a campaign is a number', {
      suggestions: ['cleverctl campaign list'],
    })
  const campaign = await selectCampaign(database, id)
  if (campaign !== undefined) return campaign
  throw new NotFoundError('campaign-not-found', `there is no campaign ${id}`, {
    suggestions: ['cleverctl campaign list'],
  })
}

/** The sum over all waves. */
export function totalsOf(waves: readonly Counts[]): Counts {
  const sum = { ...NO_TARGETS }
  for (const wave of waves) for (const state of TARGET_STATES) sum[state] += wave[state]
  return sum
}

/** Nothing in any state. */
export const NO_TARGETS: Counts = {
  waiting: 0,
  running: 0,
  done: 0,
  unchanged: 0,
  failed: 0,
  skipped: 0,
}

async function waitingOf(workspace: Workspace, campaign: Campaign): Promise<Waiting | null> {
  const { id, state, reason, waveOpensAt, pace, isDetached } = campaign
  const since = campaign.stateSince.toISOString()
  const next = `cleverctl campaign resume ${id}`
  if (state === 'done' || state === 'aborted') return null
  if (state === 'paused') return { what: 'person', since, until: null, reason, next }
  if (state === 'stopped') return { what: 'stop-rule', since, until: null, reason, next }
  if (!(await isAnybodyThere(workspace, isDetached ? 'workers' : { campaign: id }))) {
    const waiting = { what: 'runner', since, until: null, reason: null } as const
    return { ...waiting, next: isDetached ? 'cleverctl campaign work' : next }
  }
  const now = workspace.clock.now()
  if (waveOpensAt !== null && waveOpensAt > now)
    return {
      what: 'wave-pause',
      since: new Date(waveOpensAt.getTime() - pace.wavePauseMs).toISOString(),
      until: waveOpensAt.toISOString(),
      reason: null,
      next: null,
    }
  const wave = await selectWaveState(workspace.database, campaign)
  const isIdle = wave.running === 0 && wave.readyAt !== null && wave.readyAt > now
  if (!isIdle) return null
  return {
    what: pace.window === null ? 'jitter' : 'window',
    since,
    until: wave.readyAt?.toISOString() ?? null,
    reason: null,
    next: null,
  }
}
