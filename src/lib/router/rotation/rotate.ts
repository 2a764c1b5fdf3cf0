import { setTimeout as sleep } from 'node:timers/promises'
import {
  ConflictError,
  ExpectedError,
  FailureError,
  RefusedError,
  UnreachableError,
} from '../../errors.js'
import type { Workspace } from '../../workspace.js'
import { changerOf } from '../drivers/changers.js'
import { selectCurrentCredentials, selectRouter, type CurrentCredential } from '../store.js'
import { unknownRouter } from '../types.js'
import type { Ways } from '../../ssh/pin.js'
import { changeRouter } from './change.js'
import type { Changed } from './confirm.js'
import type { Verdict } from './decide.js'
import { holdRouter } from './hold-router.js'
import { selectInGrace, selectLoggers } from './overlap-store.js'
import { settleRotation } from './settle.js'
import { moveRotation, selectOpenRotation } from './store.js'
import { partsOf, requireRotation, type Change, type Part, type RotationChoice } from './types.js'

/** A router after its rotation. */
export interface RotatedRouter {
  installation: string
  /** `finished`: an earlier rotation that had been cut off was in force already, or could be confirmed. */
  outcome: 'rotated' | 'finished' | 'unchanged'
  /** What is in force now. */
  credentials: { kind: Part; version: number; name: string }[]
  /** Until when the former Wi-Fi passphrase works as well; null: no longer. */
  overlapUntil: string | null
  /** Whether the new password was seen to log in; false where the router takes no passwords, null where none is new. */
  passwordProven: boolean | null
  /** Stations on air before and after; null where the Wi-Fi was not touched. */
  stations: { before: number; after: number } | null
  /** Loggers that are cut off until somebody gives them the new passphrase. */
  dark: { count: number; serials: string[] }
}

/** The code of a rotation of which it is not known whether the new secrets are in force. */
export const UNKNOWN = 'rotation-unknown'

/** Pauses before a router that was lost is asked again, in ms. */
const PAUSES_MS = [1000, 3000, 9000]

/**
 * Gives a router new secrets. It ends with the old ones or with the new ones, whatever is cut off, and the database
 * knows with which; what an earlier run left is settled first.
 * @param asked.startedAt secrets that are younger than this, less the age asked for, stay
 * @throws UsageError, NotFoundError; ConflictError when another change is open, or when the router is not as recorded;
 *   FailureError with the code `rolled-back` when it went back to the old secrets; what `openRouter` throws
 */
export async function rotateRouter(
  workspace: Workspace,
  asked: { installation: string; choice: RotationChoice; startedAt: Date },
  ways: Pick<Ways, 'environment'>,
): Promise<RotatedRouter> {
  const { installation, choice, startedAt } = asked
  requireRotation(choice)
  const parts = partsOf(choice.what)
  return holdRouter(workspace, installation, async () => {
    const router = await selectRouter(workspace.database, installation)
    if (router === undefined) throw unknownRouter(installation)
    const change = { router, changer: changerOf(router.driver), choice, parts }
    const finished = await finishEarlier(workspace, change, ways)
    if (finished) return result(workspace, change, 'finished')
    const credentials = await selectCurrentCredentials(workspace.database, router.id)
    const youngest = startedAt.getTime() - (choice.olderThanMs ?? 0)
    const old = parts.filter((part) => !isYoung(credentials, part, youngest))
    const due = await withoutOverlapping(workspace, { ...change, parts: old })
    if (due.length === 0) return result(workspace, change, 'unchanged')
    const isOverlapping = choice.overlapMs !== undefined && due.includes('wifi')
    const step = isOverlapping ? 'add' : 'replace'
    const changed = await changeSafely(
      workspace,
      { ...change, parts: due, step, credentials },
      ways,
    )
    return result(workspace, change, 'rotated', changed)
  })
}

/** Settles what an earlier run left. @returns whether it did what this one is asked for */
async function finishEarlier(
  workspace: Workspace,
  { router, changer, parts, choice }: Pick<Change, 'router' | 'changer' | 'parts' | 'choice'>,
  ways: Pick<Ways, 'environment'>,
): Promise<boolean> {
  const rotation = await selectOpenRotation(workspace.database, router.id)
  if (rotation === undefined) return false
  const verdict = await settleRotation(
    workspace,
    { router, changer, rotation, mayConfirm: true },
    ways,
  )
  workspace.log.info(`${router.installation}: a rotation that was cut off is settled: ${verdict}`)
  if (verdict === 'FOREIGN' && !choice.isOverwriting) throw foreign(router.installation)
  const isAll = parts.every((part) => rotation.parts.includes(part))
  return verdict === 'NEW' && rotation.step !== 'retire' && isAll
}

function isYoung(credentials: readonly CurrentCredential[], part: Part, youngest: number): boolean {
  const current = credentials.find(({ kind }) => kind === part)
  return current !== undefined && current.createdAt.getTime() > youngest
}

/** The parts without the Wi-Fi where its overlap goes on already. Throws ConflictError when it is to have none. */
async function withoutOverlapping(
  { database }: Workspace,
  { router, parts, choice }: Pick<Change, 'router' | 'parts' | 'choice'>,
): Promise<Part[]> {
  const [former] = await selectInGrace(database, router.id)
  if (former === undefined || !parts.includes('wifi')) return [...parts]
  if (choice.overlapMs !== undefined) return parts.filter((part) => part !== 'wifi')
  throw new ConflictError(
    'overlap-open',
    `the former Wi-Fi passphrase of ${router.installation} works until ${former.graceUntil.toISOString()}`,
    { suggestions: [`cleverctl router reconcile ${router.installation} --end-overlap`] },
  )
}

/** Makes the change; when anything goes wrong, asks the router where it stands, and says so. */
export async function changeSafely(
  workspace: Workspace,
  change: Change,
  ways: Pick<Ways, 'environment'>,
): Promise<Changed> {
  const { router, changer } = change
  try {
    return await changeRouter(workspace, change, ways)
  } catch (error) {
    // Asked to end: the switch stays armed, and the same command settles it.
    workspace.signal.throwIfAborted()
    const rotation = await selectOpenRotation(workspace.database, router.id)
    if (rotation === undefined) throw error
    workspace.log.debug(`${router.installation}: ${messageOf(error)}`)
    const verdict = await settlePatiently(
      workspace,
      { router, changer, rotation, mayConfirm: error instanceof UnreachableError },
      ways,
      error,
    )
    if (verdict === 'FOREIGN') throw foreign(router.installation)
    if (verdict === 'OLD') throw rolledBack(router.installation, error)
    return { passwordProven: null, stations: null }
  }
}

async function settlePatiently(
  workspace: Workspace,
  unsettled: Parameters<typeof settleRotation>[1],
  ways: Pick<Ways, 'environment'>,
  cause: unknown,
): Promise<Verdict> {
  const { installation } = unsettled.router
  for (const pauseMs of [0, ...PAUSES_MS]) {
    await sleep(pauseMs, undefined, { signal: workspace.signal }).catch(() => undefined)
    workspace.signal.throwIfAborted()
    try {
      return await settleRotation(workspace, unsettled, ways)
    } catch (error) {
      if (!(error instanceof UnreachableError)) {
        await moveRotation(workspace.database, unsettled.rotation.id, 'UNKNOWN')
        throw unknown(installation, error, cause)
      }
    }
  }
  await moveRotation(workspace.database, unsettled.rotation.id, 'UNKNOWN')
  throw unknown(installation, cause, cause)
}

async function result(
  { database }: Workspace,
  { router, parts, choice }: Pick<Change, 'router' | 'parts'> & { choice: RotationChoice },
  outcome: RotatedRouter['outcome'],
  changed: Changed = { passwordProven: null, stations: null },
): Promise<RotatedRouter> {
  const { installation } = router
  const current = await selectCurrentCredentials(database, router.id)
  const [former] = await selectInGrace(database, router.id)
  const isDark = outcome === 'rotated' && parts.includes('wifi') && choice.overlapMs === undefined
  return {
    installation,
    outcome,
    credentials: parts.flatMap((part) =>
      current
        .filter(({ kind }) => kind === part)
        .map(({ version, name }) => ({ kind: part, version, name })),
    ),
    overlapUntil: former?.graceUntil.toISOString() ?? null,
    ...changed,
    dark: isDark ? await selectLoggers(database, installation) : { count: 0, serials: [] },
  }
}

function messageOf(error: unknown): string {
  return error instanceof ExpectedError ? error.message : 'unexpected fault'
}

function rolledBack(installation: string, cause: unknown): FailureError {
  return new FailureError(
    'rolled-back',
    `the router of ${installation} keeps its old secrets: ${messageOf(cause)}`,
    {
      cause,
      suggestions: [
        ...(cause instanceof ExpectedError ? cause.suggestions : []),
        'give the command again when that is mended',
      ],
    },
  )
}

function foreign(installation: string): ConflictError {
  return new ConflictError(
    'router-changed-by-hand',
    `the router of ${installation} has a Wi-Fi that is neither the old nor the new one`,
    {
      suggestions: [
        `cleverctl router check ${installation}`,
        `cleverctl router rotate ${installation} --overwrite`,
      ],
    },
  )
}

/**
 * It is not known which secrets are in force; the database has both. What stands in the way keeps its exit code: another
 * host key, a refused login, a router out of reach.
 */
function unknown(installation: string, error: unknown, cause: unknown): ExpectedError {
  if (!(error instanceof ExpectedError)) throw error
  const message = `whether the router of ${installation} has its new secrets is not known yet: ${messageOf(error)}`
  const options = { cause, suggestions: [`cleverctl router reconcile ${installation}`] }
  if (error instanceof RefusedError) return new RefusedError(UNKNOWN, message, options)
  if (error instanceof ConflictError) return new ConflictError(UNKNOWN, message, options)
  return new UnreachableError(UNKNOWN, message, options)
}
