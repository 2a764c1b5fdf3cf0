import type { Workspace } from '../workspace.js'
import { claimTargets, postponeTargets, type Claim } from './claim-store.js'
import { failTarget } from './perform.js'
import type { Campaign } from './types.js'
import { openingOf, shortestOpening } from './window.js'

/** Where many windows are closed, so many targets are looked at in one go. */
const LOOK_AHEAD = 500

/** Whether a target may start, when it may, or why it never will. */
export type Readiness = { isReady: true } | { isReady: false; readyAt: Date } | { fault: string }

/**
 * Takes on targets that may start now: at most `free`, or the one at `position`. Targets whose window is closed, or whose jitter is not
 * over, are put back with the moment at which they may.
 */
export async function claimReady(
  workspace: Workspace,
  campaign: Campaign,
  given: { runner: string; free: number; isDetached: boolean; position?: number },
): Promise<Claim[]> {
  const { database, clock } = workspace
  const { runner, isDetached, position } = given
  const { window, jitterMs } = campaign.pace
  if (window === null && jitterMs === 0)
    return claimTargets(database, {
      campaign: campaign.id,
      runner,
      now: clock.now(),
      isDetached,
      limit: given.free,
      position,
    })
  const ready: Claim[] = []
  let limit = given.free
  while (ready.length < given.free) {
    const free = given.free - ready.length
    const sifted = await sift(workspace, campaign, {
      runner,
      isDetached,
      limit,
      free,
      position,
    })
    for (const { claim, fault } of sifted.faults)
      await failTarget(workspace, {
        campaign,
        runner,
        claim,
        code: 'window-unknown',
        message: fault,
      })
    ready.push(...sifted.ready)
    if (sifted.looked === 0) break
    if (sifted.ready.length === 0) limit = LOOK_AHEAD
  }
  return ready
}

/** Claims targets and puts those back that may not start yet, all in one transaction. */
async function sift(
  workspace: Workspace,
  campaign: Campaign,
  given: {
    runner: string
    isDetached: boolean
    limit: number
    free: number
    position: number | undefined
  },
): Promise<{ looked: number; ready: Claim[]; faults: { claim: Claim; fault: string }[] }> {
  const { runner, isDetached, limit, free, position } = given
  return workspace.database.transaction(async (transaction) => {
    const now = workspace.clock.now()
    const claimant = { campaign: campaign.id, runner, now }
    const claims = await claimTargets(transaction, { ...claimant, isDetached, limit, position })
    const ready: Claim[] = []
    const faults: { claim: Claim; fault: string }[] = []
    const later: { position: number; readyAt: Date }[] = []
    for (const claim of claims) {
      const readiness = readinessOf(workspace, campaign, claim, now)
      if ('fault' in readiness) faults.push({ claim, fault: readiness.fault })
      else if (!readiness.isReady)
        later.push({ position: claim.position, readyAt: readiness.readyAt })
      else if (ready.length < free) ready.push(claim)
      else later.push({ position: claim.position, readyAt: now })
    }
    if (later.length > 0) await postponeTargets(transaction, claimant, later)
    return { looked: claims.length, ready, faults }
  })
}

/** When a target may start, by its window and the jitter. */
export function readinessOf(
  { random }: Workspace,
  { pace }: Campaign,
  { target, readyAt, site }: Pick<Claim, 'target' | 'readyAt' | 'site'>,
  now: Date,
): Readiness {
  const { window, jitterMs } = pace
  const delayed = (from: Date, mostMs: number) =>
    new Date(from.getTime() + (random.bytes(4).readUInt32BE() / 2 ** 32) * mostMs)
  if (window === null)
    return readyAt === null && jitterMs > 0
      ? { isReady: false, readyAt: delayed(now, jitterMs) }
      : { isReady: true }
  if (site === null)
    return { fault: `nothing is known about where ${target} stands, so its window is not known` }
  const opening = openingOf(window, site, now)
  if (opening === undefined)
    return {
      fault: `the time zone ${site.timezone} of ${target} is not known to this machine, so its window is not known`,
    }
  // Half of the window at most: a target that is delayed must not miss it.
  const mostMs = Math.min(jitterMs, shortestOpening(window) / 2)
  if (!opening.isOpen) return { isReady: false, readyAt: delayed(opening.opensAt, mostMs) }
  return readyAt === null && mostMs > 0
    ? { isReady: false, readyAt: delayed(now, mostMs) }
    : { isReady: true }
}
