import { setTimeout as sleep } from 'node:timers/promises'
import { FailureError, RefusedError } from '../../errors.js'
import type { Secret } from '../../secret.js'
import type { Ways } from '../../ssh/pin.js'
import type { SshSession } from '../../ssh/session.js'
import { loginOf } from '../../ssh/way-in.js'
import type { Workspace } from '../../workspace.js'
import type { RouterView } from '../drivers/changer.js'
import { openRouter, proveLogin, recordedLogin } from '../way-in.js'
import { recordVerdict } from './record.js'
import type { StagedRotation } from './stage.js'
import { moveRotation } from './store.js'
import type { Change } from './types.js'
import { isOnAir, isWifi, stationsOf, type WifiGoal } from './wifi.js'

/** What was seen of a change that is confirmed. */
export interface Changed {
  passwordProven: boolean | null
  stations: { before: number; after: number } | null
}

/** Pauses before it is looked again whether the Wi-Fi is on air, in ms; the last one over and over. */
const LOOK_AGAIN_MS = [100, 200, 400, 1000]
/** A radio takes so long to come up, on channels that have to be listened to first. */
const LONGEST_ON_AIR_MS = 90_000

/**
 * Logs in anew, with the new password where there is one, looks until everything is as it has to be, and confirms.
 * @throws FailureError where it is not, or was confirmed too late
 */
export async function testAndConfirm(
  workspace: Workspace,
  given: {
    change: Change
    staged: StagedRotation
    before: RouterView
    salt: string
    goal: WifiGoal | undefined
  },
  ways: Pick<Ways, 'environment'>,
): Promise<Changed> {
  const { change, staged, before, goal } = given
  const { router, changer, credentials } = change
  const { rotation, password } = staged
  const login =
    password && router.login === 'password'
      ? loginOf('password', password)
      : await recordedLogin(workspace, router, credentials, ways)
  const session = await openRouter(workspace, router, login, ways)
  try {
    const after = await waitOnAir(workspace, session, { ...given, sections: rotation.sections })
    const passwordProven = password
      ? await provePassword(workspace, { ...given, after }, ways)
      : null
    await moveRotation(workspace.database, rotation.id, 'TESTED')
    workspace.log.debug(`${router.installation}: change ${rotation.changeId} tested`)
    if (!(await changer.confirm(session, rotation.changeId)))
      throw new FailureError('confirmed-too-late', 'the router went back before it was confirmed')
    workspace.log.debug(`${router.installation}: change ${rotation.changeId} confirmed`)
    await recordVerdict(workspace, { router, rotation }, { verdict: 'NEW', login: 'NEW' })
    const stations = goal ? { before: stationsOf(before), after: stationsOf(after) } : null
    return { passwordProven, stations }
  } finally {
    session.close()
  }
}

/** Looks until the Wi-Fi is what it has to be and on air, where it was on air before. */
async function waitOnAir(
  { signal }: Workspace,
  session: SshSession,
  given: {
    change: Change
    staged: StagedRotation
    before: RouterView
    salt: string
    goal: WifiGoal | undefined
    sections: readonly string[]
  },
): Promise<RouterView> {
  const { change, staged, before, salt, goal, sections } = given
  const patienceMs = Math.min(change.choice.rollbackMs / 2, LONGEST_ON_AIR_MS)
  const until = performance.now() + patienceMs
  for (let looks = 0; ; looks++) {
    const view = await change.changer.look(session, { id: staged.rotation.changeId, salt })
    if (goal === undefined) return view
    if (!isWifi(view, sections, goal, salt))
      throw new FailureError('router-differs', 'the router does not hold what was sent to it')
    if (isOnAir(view, sections) || !isOnAir(before, sections)) return view
    if (performance.now() > until)
      throw new FailureError(
        'wifi-not-on-air',
        'the Wi-Fi did not come on air with the new secrets',
      )
    const pauseMs = LOOK_AGAIN_MS[Math.min(looks, LOOK_AGAIN_MS.length - 1)]
    await sleep(pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted())
  }
}

/** @returns whether the new password was seen to log in. Throws FailureError when the router kept an old one. */
async function provePassword(
  workspace: Workspace,
  given: {
    change: Change
    staged: StagedRotation
    before: RouterView
    after: RouterView
  },
  ways: Pick<Ways, 'environment'>,
): Promise<boolean> {
  const { change, staged, before, after } = given
  const { router, changer } = change
  const digestOf = (view: RouterView, account: string) =>
    view.accounts.find(({ name }) => name === account)?.digest
  const kept = changer.accounts(router.username).find((account) => {
    const was = digestOf(before, account)
    return was !== undefined && was === digestOf(after, account)
  })
  if (kept !== undefined)
    throw new FailureError('password-kept', `the router kept the old password of ${kept}`)
  if (router.login === 'password') return true
  try {
    await proveLogin(workspace, router, loginOf('password', staged.password as Secret), ways)
    return true
  } catch (error) {
    // Where passwords do not log in, that one does not is no fault of it.
    if (error instanceof RefusedError) return false
    throw error
  }
}
