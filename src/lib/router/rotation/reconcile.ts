import { ExpectedError, FindingsError, PartialError, RefusedError } from '../../errors.js'
import type { Workspace } from '../../workspace.js'
import { changerOf } from '../drivers/changers.js'
import { selectCurrentCredentials, selectRouter, type RouterRow } from '../store.js'
import { unknownRouter } from '../types.js'
import type { Ways } from '../../ssh/pin.js'
import { holdRouter } from './hold-router.js'
import { isOver, selectOverlap } from './overlap-store.js'
import { changeSafely } from './rotate.js'
import { selectWithoutRouter } from './selection.js'
import { settleRotation } from './settle.js'
import {
  countRefusal,
  selectLatestState,
  selectOpenRotation,
  selectUnsettled,
  type UnsettledRouter,
} from './store.js'
import { DEFAULT_ROLLBACK_MS, type RotationChoice } from './types.js'

/** The secrets before the latest rotation, those that it set, or ones that somebody set by hand. */
export type RouterState = 'old' | 'new' | 'foreign'

/** What came of one router. */
export interface ReconciledRouter {
  installation: string
  /** Which secrets are in force since the latest rotation; null: not known, or there was none. */
  state: RouterState | null
  /** Whether a former Wi-Fi passphrase was taken off the router. */
  overlapEnded: boolean
  /** Why nothing could be found out; then it stays to be settled. */
  error: { code: string; message: string } | null
}

/** What came of all of them; of one that was named it stands at the top as well. */
export interface Reconciled extends Partial<Omit<ReconciledRouter, 'error'>> {
  routers: ReconciledRouter[]
}

/**
 * So often in a row a router may refuse before it is only asked by name. RutOS shuts an address out after ten failures,
 * and each time is three: see `settleRotation`.
 */
const MAX_REFUSALS = 3

const STATES: Readonly<Record<string, RouterState>> = {
  NEW: 'new',
  CONFIRMED: 'new',
  OLD: 'old',
  ROLLED_BACK: 'old',
  FOREIGN: 'foreign',
}

/**
 * Asks routers which secrets are in force where a rotation was cut off, and takes former Wi-Fi passphrases off that
 * nobody needs any more.
 * @param asked.installations empty: all of them
 * @param asked.isEndingOverlap the time of former passphrases is over now
 * @throws NotFoundError for an installation without a router; the error itself where one router was named; else
 *   PartialError when some could not be settled; FindingsError when something foreign was found
 */
export async function reconcileRouters(
  workspace: Workspace,
  asked: { installations: readonly string[]; isEndingOverlap: boolean; concurrency: number },
  ways: Pick<Ways, 'environment'>,
): Promise<Reconciled> {
  const { database, clock, log } = workspace
  const { installations, isEndingOverlap, concurrency } = asked
  const [without] = await selectWithoutRouter(database, installations)
  if (without !== undefined) throw unknownRouter(without)
  const named = [...new Set(installations)]
  const unsettled = await selectUnsettled(database, { installations: named, now: clock.now() })
  const isAlone = named.length === 1
  const chosen: readonly UnsettledRouter[] =
    isAlone || (isEndingOverlap && named.length > 0)
      ? named.map((installation) => ({ installation, refusals: 0 }))
      : unsettled
  const { default: pLimit } = await import('p-limit')
  const limit = pLimit(concurrency)
  let done = 0
  const routers = await Promise.all(
    chosen.map(({ installation, refusals }) =>
      limit(async () => {
        const isAsked = named.length > 0 || refusals < MAX_REFUSALS
        const one = isAsked
          ? await reconcileRouter(workspace, { installation, isEndingOverlap }, ways).catch(
              (error: unknown) => failureOf(installation, error, isAlone),
            )
          : notAsked(installation, refusals)
        done += 1
        log.progress({ done, total: chosen.length, unit: 'routers' })
        return one
      }),
    ),
  )
  const [first] = isAlone ? routers : []
  if (first === undefined) return outcomeOf({ routers })
  const { installation, state, overlapEnded } = first
  return outcomeOf({ installation, state, overlapEnded, routers })
}

async function reconcileRouter(
  workspace: Workspace,
  { installation, isEndingOverlap }: { installation: string; isEndingOverlap: boolean },
  ways: Pick<Ways, 'environment'>,
): Promise<ReconciledRouter> {
  const { database } = workspace
  return holdRouter(workspace, installation, async () => {
    const router = await selectRouter(database, installation)
    if (router === undefined) throw unknownRouter(installation)
    return lookAfter(workspace, { router, isEndingOverlap }, ways).catch(async (error: unknown) => {
      if (error instanceof RefusedError) await countRefusal(database, router.id)
      throw error
    })
  })
}

async function lookAfter(
  workspace: Workspace,
  { router, isEndingOverlap }: { router: RouterRow; isEndingOverlap: boolean },
  ways: Pick<Ways, 'environment'>,
): Promise<ReconciledRouter> {
  const { database, clock } = workspace
  const { installation } = router
  const rotation = await selectOpenRotation(database, router.id)
  const reached =
    rotation === undefined
      ? await selectLatestState(database, router.id)
      : await settleRotation(
          workspace,
          { router, rotation, changer: changerOf(router.driver), mayConfirm: true },
          ways,
        )
  const overlap = await selectOverlap(database, router.id)
  const overlapEnded = overlap !== undefined && (isEndingOverlap || isOver(overlap, clock.now()))
  if (overlapEnded) await endOverlap(workspace, router, ways)
  const state = STATES[reached ?? ''] ?? null
  return { installation, state, overlapEnded, error: null }
}

const RETIREMENT: RotationChoice = {
  what: ['wifi'],
  overlapMs: undefined,
  rollbackMs: DEFAULT_ROLLBACK_MS,
  olderThanMs: undefined,
  isOverwriting: false,
}

async function endOverlap(
  workspace: Workspace,
  router: RouterRow,
  ways: Pick<Ways, 'environment'>,
): Promise<void> {
  const credentials = await selectCurrentCredentials(workspace.database, router.id)
  const changer = changerOf(router.driver)
  const parts = ['wifi'] as const
  const change = {
    router,
    changer,
    step: 'retire',
    parts,
    choice: RETIREMENT,
    credentials,
  } as const
  await changeSafely(workspace, change, ways)
}

/** One that failed is told beside the others; one that was asked for alone ends the command. */
function failureOf(installation: string, error: unknown, isAlone: boolean): ReconciledRouter {
  if (isAlone || !(error instanceof ExpectedError)) throw error
  const { code, message } = error
  return { installation, state: null, overlapEnded: false, error: { code, message } }
}

function notAsked(installation: string, refusals: number): ReconciledRouter {
  const code = 'refused-before'
  const message = `the router of ${installation} refused every login ${refusals} times: it is asked again by name only`
  return { installation, state: null, overlapEnded: false, error: { code, message } }
}

function outcomeOf(result: Reconciled): Reconciled {
  const failed = result.routers.filter(({ error }) => error !== null)
  const [first] = failed
  if (first)
    throw new PartialError(
      'not-settled',
      `${failed.length} of ${result.routers.length} routers could not be settled, such as that of ${first.installation}`,
      {
        result,
        suggestions: [
          'give the command again when they can be reached',
          ...(first.error?.code === 'refused-before'
            ? [`cleverctl router reconcile ${first.installation}`]
            : []),
        ],
      },
    )
  const foreign = result.routers.find(({ state }) => state === 'foreign')
  if (foreign)
    throw new FindingsError(
      'router-changed-by-hand',
      `the router of ${foreign.installation} has secrets that are neither the old nor the new ones`,
      { result, suggestions: [`cleverctl router check ${foreign.installation}`] },
    )
  return result
}
