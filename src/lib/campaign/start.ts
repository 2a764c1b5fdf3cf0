import { createHash } from 'node:crypto'
import type { Queryable } from '../database/database.js'
import { ConflictError, UsageError } from '../errors.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { formatLimit } from './limit.js'
import type { Operations, Parameters } from './operation.js'
import { NO_TARGETS, reportCampaign } from './report.js'
import {
  countSelected,
  insertTargets,
  selectFirsts,
  selectHolders,
  type Selection,
} from './selection-store.js'
import { insertCampaign, lockStart, selectByFingerprint } from './store.js'
import type { Campaign, CampaignReport, Pace } from './types.js'
import { formatWaves, waveEnds } from './waves.js'
import { formatWindow, shortestOpening } from './window.js'

/** What a campaign is to do. */
export interface CampaignOrder {
  /** The operation's name. */
  operation: string
  /** No secret: they lie in the database. */
  parameters: Parameters
  pace: Pace
  selection: Selection
  /** The choice in words that are the same whenever it is made: by them the same order is known again. */
  choice: string
  /** Left to `campaign work`. */
  isDetached: boolean
}

const DAY_MS = 86_400_000
const LONGEST_PAUSE_MS = 30 * DAY_MS

/** Throws UsageError for a pace that leads nowhere. */
export function requirePace({ wavePauseMs, jitterMs, window }: Pace): void {
  if (wavePauseMs > LONGEST_PAUSE_MS)
    throw new UsageError('bad-wave-pause', 'a pause between waves is 30d at most')
  if (jitterMs > DAY_MS) throw new UsageError('bad-jitter', 'a jitter is 24h at most')
  if (window !== null && jitterMs * 2 > shortestOpening(window))
    throw new UsageError('bad-jitter', 'the jitter is more than half of the window')
}

/**
 * What a campaign would do, in the form in which it is reported; nothing is written. Where the same order has an
 * unfinished campaign, that one is given.
 * Throws ConflictError when another campaign holds targets.
 */
export async function planCampaign(
  workspace: Workspace,
  operations: Operations,
  order: CampaignOrder,
): Promise<CampaignReport> {
  const { database } = workspace
  const same = await selectByFingerprint(database, fingerprintOf(order))
  if (same !== undefined) return reportCampaign(workspace, operations, same.id)
  await refuseHeld(database, order)
  const { operation, parameters, pace, selection, isDetached } = order
  const targets = await countSelected(database, selection)
  const ends = waveEnds(pace.waves, targets)
  const firsts = targets === 0 ? [] : await selectFirsts(database, selection, ends)
  const waves = ends.map((end, index) => {
    const size = end - (ends[index - 1] ?? 0)
    const first = firsts[index] ?? ''
    return { ...NO_TARGETS, wave: index + 1, targets: size, first, waiting: size }
  })
  return {
    id: null,
    operation,
    parameters,
    pace,
    state: targets === 0 ? 'done' : 'planned',
    reason: null,
    stateSince: null,
    detached: isDetached,
    createdAt: null,
    createdBy: null,
    targets,
    wave: 0,
    counts: { ...NO_TARGETS, waiting: targets },
    waves,
    failed: [],
    waitsFor: null,
  }
}

/**
 * Makes a campaign with its targets, or finds the unfinished one of the same order.
 * @returns undefined where no target is selected
 * Throws ConflictError when another campaign holds targets.
 */
export async function startCampaign(
  { database, clock, actor }: Workspace,
  order: CampaignOrder,
): Promise<{ campaign: Campaign; isNew: boolean } | undefined> {
  const { operation, parameters, pace, selection, isDetached } = order
  const fingerprint = fingerprintOf(order)
  return database.transaction(async (transaction) => {
    await lockStart(transaction)
    const same = await selectByFingerprint(transaction, fingerprint)
    if (same !== undefined) return { campaign: same, isNew: false }
    await refuseHeld(transaction, order)
    const expected = await countSelected(transaction, selection)
    if (expected === 0) return undefined
    const now = clock.now()
    const createdBy = `${actor.osUser}@${actor.host}`
    const row = { operation, parameters, pace, fingerprint, isDetached, createdBy, now }
    const campaign = await insertCampaign(transaction, row)
    const isTimed = pace.window !== null || pace.jitterMs > 0
    const ends = waveEnds(pace.waves, expected)
    const place = { id: campaign.id, operation, ends, readyAt: isTimed ? null : now }
    const targets = await insertTargets(transaction, place, selection)
    await appendTrail(transaction, actor, {
      action: 'campaign.start',
      subject: `campaign ${campaign.id}`,
      details: { operation, parameters, targets, detached: isDetached, ...inFlags(pace) },
    })
    return { campaign, isNew: true }
  })
}

/** A pace as its flags write it, for the trail and for people. */
export function inFlags(pace: Pace): Record<string, string | number> {
  return {
    waves: formatWaves(pace.waves),
    maxFailures: formatLimit(pace.maxFailures),
    ...(pace.maxRefusals && { maxRefusals: formatLimit(pace.maxRefusals) }),
    ...(pace.wavePauseMs > 0 && { wavePauseMs: pace.wavePauseMs }),
    ...(pace.jitterMs > 0 && { jitterMs: pace.jitterMs }),
    ...(pace.window && { window: formatWindow(pace.window) }),
  }
}

async function refuseHeld(
  queryable: Queryable,
  { operation, selection }: CampaignOrder,
): Promise<void> {
  const holders = await selectHolders(queryable, operation, selection)
  const [first] = holders
  if (first === undefined) return
  const targets = holders.reduce((sum, holder) => sum + holder.targets, 0)
  const campaigns = holders.map(({ campaign }) => campaign).join(', ')
  throw new ConflictError(
    'targets-held',
    `${targets} of the targets, such as ${first.first}, are held by campaign ${campaigns}`,
    {
      suggestions: [
        `cleverctl campaign show ${first.campaign}`,
        `cleverctl campaign resume ${first.campaign}`,
        `cleverctl campaign abort ${first.campaign} --yes`,
      ],
    },
  )
}

/** The same for the same order, whenever it is given; who works on it does not matter. */
function fingerprintOf({ operation, parameters, pace, choice }: CampaignOrder): Buffer {
  const order = JSON.stringify([operation, parameters, pace, choice])
  return createHash('sha256').update(order).digest()
}
