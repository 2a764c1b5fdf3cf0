import { carryOut } from '../../campaign/carry-out.js'
import { planCampaign, requirePace, type CampaignOrder } from '../../campaign/start.js'
import { selectSucceeded } from '../../campaign/target-store.js'
import type { CampaignReport, FailedTarget, Pace } from '../../campaign/types.js'
import { ExpectedError, NotFoundError, UsageError } from '../../errors.js'
import type { Workspace } from '../../workspace.js'
import type { Ways } from '../../ssh/pin.js'
import { UNKNOWN } from './rotate.js'
import { ROTATE_ROUTERS, routerRotation, toParameters } from './campaign.js'
import {
  countDark,
  selectAllRouters,
  selectNamedRouters,
  selectWithoutRouter,
} from './selection.js'
import { partsOf, requireRotation, type RotationChoice } from './types.js'

/** Whose routers are rotated, and how. */
export interface ManyRotations {
  /** Empty = every router of an installation that is not retired. */
  installations: readonly string[]
  choice: RotationChoice
  pace: Pace
  /** Left to `campaign work`. */
  isDetached: boolean
}

/** One router whose rotation did not succeed. */
export interface Unsucceeded {
  installation: string
  code: string
  message: string
}

/** What came of each router, in the same form for one and for many. */
export interface Targets {
  /** Installations whose router has what was asked for. */
  succeeded: string[]
  /** Those that kept their old secrets; the first hundred. */
  failed: Unsucceeded[]
  /** Those of which it is not known yet; `router reconcile` finds out. */
  unknown: Unsucceeded[]
}

/** A campaign over routers. */
export interface RouterCampaign extends Omit<CampaignReport, 'failed'>, Omit<Targets, 'failed'> {
  failed: (FailedTarget & Unsucceeded)[]

  /** Loggers that are cut off from when their router is done until somebody gives them the new passphrase. */
  dark: { loggers: number; installations: number; serials: string[] }
}

const MAX_AGE_MS = 3650 * 86_400_000

/** What {@link rotateRouters} would do, and which loggers would go dark; nothing is changed. Throws as it does. */
export async function planRouterRotations(
  workspace: Workspace,
  asked: ManyRotations,
  ways: Pick<Ways, 'environment'>,
): Promise<RouterCampaign> {
  const order = await orderOf(workspace, asked)
  const report = await planCampaign(workspace, operationsOf(ways), order)
  return { ...(await withTargets(workspace, report)), dark: await darkOf(workspace, asked, order) }
}

/**
 * Gives the routers of many installations new secrets, wave by wave; those with the oldest secrets first. The same
 * order once more goes on with what is unfinished.
 * @throws UsageError, NotFoundError for an installation without a router, and what `carryOut` throws
 */
export async function rotateRouters(
  workspace: Workspace,
  asked: ManyRotations & { concurrency: number },
  ways: Pick<Ways, 'environment'>,
): Promise<RouterCampaign> {
  const order = await orderOf(workspace, asked)
  const dark = await darkOf(workspace, asked, order)
  const { concurrency } = asked
  try {
    const report = await carryOut(workspace, operationsOf(ways), { order, concurrency })
    return { ...(await withTargets(workspace, report)), dark }
  } catch (error) {
    if (!(error instanceof ExpectedError) || !isReport(error.result)) throw error
    throw error.withResult({ ...(await withTargets(workspace, error.result)), dark })
  }
}

function isReport(result: object | undefined): result is CampaignReport {
  return result !== undefined && 'targets' in result
}

async function withTargets(
  { database }: Workspace,
  report: CampaignReport,
): Promise<Omit<RouterCampaign, 'dark'>> {
  const all = report.failed.map((each) => ({ ...each, installation: each.target }))
  const isUnknown = ({ code }: Unsucceeded) => code === UNKNOWN
  return {
    ...report,
    succeeded: report.id === null ? [] : await selectSucceeded(database, report.id),
    failed: all.filter((each) => !isUnknown(each)),
    unknown: all
      .filter(isUnknown)
      .map(({ installation, code, message }) => ({ installation, code, message })),
  }
}

function operationsOf(ways: Pick<Ways, 'environment'>) {
  return { [ROTATE_ROUTERS]: routerRotation(ways) }
}

async function darkOf(
  { database }: Workspace,
  { choice }: ManyRotations,
  { selection }: CampaignOrder,
): Promise<RouterCampaign['dark']> {
  const isDark = partsOf(choice.what).includes('wifi') && choice.overlapMs === undefined
  return isDark ? countDark(database, selection) : { loggers: 0, installations: 0, serials: [] }
}

async function orderOf(workspace: Workspace, asked: ManyRotations): Promise<CampaignOrder> {
  const { choice, pace, isDetached } = asked
  requireRotation(choice)
  requirePace(pace)
  if ((choice.olderThanMs ?? 0) > MAX_AGE_MS)
    throw new UsageError('bad-age', 'an age is 3650d at most')
  const codes = [...new Set(asked.installations)]
  const without = await selectWithoutRouter(workspace.database, codes)
  if (without.length > 0) throw noRouters(without)
  const dueBefore = new Date(workspace.clock.now().getTime() - (choice.olderThanMs ?? 0))
  const parts = partsOf(choice.what)
  return {
    operation: ROTATE_ROUTERS,
    parameters: toParameters(choice),
    pace,
    selection:
      codes.length > 0 ? selectNamedRouters(codes) : selectAllRouters({ parts, dueBefore }),
    choice: codes.length > 0 ? codes.join(' ') : 'all',
    isDetached,
  }
}

function noRouters(codes: readonly string[]): NotFoundError {
  const named = codes.slice(0, 10).join(', ')
  return new NotFoundError('router-not-found', `no router is recorded for ${named}`, {
    suggestions: ['cleverctl router list', 'cleverctl router add CODE --driver openwrt'],
  })
}
