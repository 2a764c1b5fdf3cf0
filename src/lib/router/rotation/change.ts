import { setTimeout as sleep } from 'node:timers/promises'
import { ConflictError, FailureError, RefusedError } from '../../errors.js'
import type { Secret } from '../../secret.js'
import type { SshSession } from '../../ssh/session.js'
import type { Workspace } from '../../workspace.js'
import { openCredential } from '../credential.js'
import type { Changer, Order, RouterView } from '../drivers/changer.js'
import { newSalt } from '../drivers/salt.js'
import type { CurrentCredential, RouterRow } from '../store.js'
import type { Ways } from '../../ssh/pin.js'
import { loginOf } from '../../ssh/way-in.js'
import { openRouter, proveLogin, recordedLogin } from '../way-in.js'
import { recordVerdict } from './record.js'
import { newChangeId, stageRotation, type StagedRotation } from './stage.js'
import { moveRotation, selectInGrace } from './store.js'
import type { Part, RotationChoice, Step } from './types.js'
import {
  EXTRA_SECTION,
  extraSection,
  extrasOf,
  goalAfter,
  goalBefore,
  isExtraSection,
  isOnAir,
  isWifi,
  stationsOf,
  type Wifi,
  type WifiGoal,
} from './wifi.js'

/** One step of a rotation. */
export interface Change {
  router: RouterRow
  changer: Changer
  step: Step
  parts: readonly Part[]
  choice: RotationChoice
  /** What is in force. */
  credentials: readonly CurrentCredential[]
}

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
 * Looks, writes down, arms, applies, tests over a new connection with the new secrets, and confirms. Whatever is
 * thrown once it is written down leaves the rotation open, to be settled.
 */
export async function changeRouter(
  workspace: Workspace,
  change: Change,
  ways: Pick<Ways, 'environment'>,
): Promise<Changed> {
  const { router, changer, step, parts, choice, credentials } = change
  const id = newChangeId(workspace)
  const tell = (stage: string) =>
    workspace.log.debug(`${router.installation}: change ${id} ${stage}`)
  const salt = newSalt(workspace.random)
  const login = await recordedLogin(workspace, router, credentials, ways)
  const session = await openRouter(workspace, router, login, ways)
  try {
    const view = await changer.look(session, { id, salt })
    refuseBusy(router.installation, view)
    const recorded = await recordedWifi(workspace, change)
    const sections = parts.includes('wifi') ? sectionsOf(change, view, recorded.former) : []
    if (parts.includes('wifi')) refuseForeign(change, { view, sections, salt, ...recorded })
    const isRenamed = choice.what.includes('name')
    const isSecond = step === 'add' && isSecondWifi(router.installation, view, sections, isRenamed)
    const ssid = isRenamed || isSecond ? undefined : nameOf(view, sections)
    const staged = await stageRotation(workspace, id, {
      ...{ router, step, parts, sections, ssid },
      ...{
        overlapMs: step === 'add' ? choice.overlapMs : undefined,
        rollbackMs: choice.rollbackMs,
      },
    })
    const next = staged.wifi ?? recorded.next
    tell('written down')
    const former = await recordedPassword(workspace, credentials)
    const orders = ordersOf(change, { staged, view, sections, next, former, isSecond })
    const accounts = parts.includes('admin') ? changer.accounts(router.username) : []
    const seconds = Math.ceil(choice.rollbackMs / 1000)
    await changer.arm(session, { id, seconds, wireless: sections.length > 0, accounts, orders })
    tell('armed')
    await changer.apply(session, { id, orders })
    tell('applied')
    await moveRotation(workspace.database, staged.rotation.id, 'SET')
    const goal = next && goalAfter(step, recorded.former, next)
    return await testAndConfirm(workspace, { change, staged, before: view, salt, goal }, ways)
  } finally {
    session.close()
  }
}

/** What the database knows of the Wi-Fi: in force, and while a former one is being retired, what comes after. */
async function recordedWifi(
  workspace: Workspace,
  { router, step, credentials }: Change,
): Promise<{ former: Wifi | undefined; next: Wifi | undefined }> {
  const keyring = await workspace.keyring()
  const open = (row: CurrentCredential | undefined): Wifi | undefined =>
    row && { ssid: row.name, passphrase: openCredential(keyring, row) }
  const current = open(credentials.find(({ kind }) => kind === 'wifi'))
  if (step !== 'retire') return { former: current, next: undefined }
  const [former] = await selectInGrace(workspace.database, router.id)
  return { former: open(former), next: current }
}

async function recordedPassword(
  workspace: Workspace,
  credentials: readonly CurrentCredential[],
): Promise<Secret | undefined> {
  const admin = credentials.find(({ kind }) => kind === 'admin')
  return admin && openCredential(await workspace.keyring(), admin)
}

/** Whether loggers move by a second Wi-Fi, as a new name demands. @throws ConflictError where they cannot move at all */
function isSecondWifi(
  installation: string,
  { accessPoints }: RouterView,
  sections: readonly string[],
  isRenamed: boolean,
): boolean {
  const chosen = accessPoints.filter(({ section }) => sections.includes(section))
  for (const { section, overlap } of chosen)
    if (typeof overlap !== 'string')
      throw new ConflictError(
        'overlap-impossible',
        `no second passphrase can work at ${section} of ${installation}: ${overlap.impossible}`,
        {
          suggestions: [
            `cleverctl router rotate ${installation} --what wifi --dry-run, without --overlap: it says which loggers are cut off`,
          ],
        },
      )
  return isRenamed || chosen.some(({ overlap }) => overlap === 'wifi')
}

function refuseBusy(installation: string, { open, staged }: RouterView): void {
  if (open && open.state !== 'begun')
    throw new ConflictError(
      'router-busy',
      `another change is open on the router of ${installation}, of another database or engineer`,
      { suggestions: ['a change that nobody confirms goes back by itself: try again later'] },
    )
  if (staged === 0) return
  throw new ConflictError(
    'router-edited',
    `somebody has edits on the router of ${installation} that are not saved`,
    { suggestions: ['save or drop them first (uci changes, uci revert), then once more'] },
  )
}

/** The access points that carry the recorded name; every one where none is recorded, or what is there is overwritten. */
function sectionsOf(
  { router, choice }: Change,
  { accessPoints }: RouterView,
  former: Wifi | undefined,
): string[] {
  const own = accessPoints.filter(({ section }) => !isExtraSection(section))
  const named = own.filter(({ ssid }) => ssid === former?.ssid)
  const isAny = former === undefined || (choice.isOverwriting && named.length === 0)
  const chosen = isAny ? own : named
  if (chosen.length > 0) return chosen.map(({ section }) => section)
  throw new ConflictError(
    'wifi-not-found',
    former === undefined
      ? `the router of ${router.installation} has no access point`
      : `the router of ${router.installation} has no access point named ${former.ssid}`,
    {
      suggestions: [
        `cleverctl router check ${router.installation}`,
        `cleverctl router rotate ${router.installation} --overwrite`,
      ],
    },
  )
}

function refuseForeign(
  { router, step, choice }: Change,
  given: {
    view: RouterView
    sections: readonly string[]
    salt: string
    former: Wifi | undefined
    next: Wifi | undefined
  },
): void {
  const { view, sections, salt, former, next } = given
  const expected = goalBefore(step, former, next)
  if (choice.isOverwriting || isWifi(view, sections, expected, salt)) return
  throw new ConflictError(
    'router-changed-by-hand',
    `the Wi-Fi passphrase of ${router.installation} is not the recorded one: somebody changed it`,
    {
      suggestions: [
        `cleverctl router add ${router.installation} --replace, with the passphrase that is there`,
        `cleverctl router rotate ${router.installation} --overwrite`,
      ],
    },
  )
}

/** The name that stays. Under one name they are found again, so that there must be one. */
function nameOf({ accessPoints }: RouterView, sections: readonly string[]): string | undefined {
  const chosen = accessPoints.filter(({ section }) => sections.includes(section))
  const names = [...new Set(chosen.map(({ ssid }) => ssid))]
  if (names.length <= 1) return names[0]
  throw new ConflictError(
    'several-names',
    `the access points of the router have several names: ${names.join(', ')}`,
    {
      suggestions: [
        'give them one: --what wifi,name',
        'record the one that is meant: cleverctl router add CODE --replace --ssid NAME',
      ],
    },
  )
}

function ordersOf(
  { router, changer, step, choice }: Change,
  given: {
    staged: StagedRotation
    view: RouterView
    sections: readonly string[]
    next: Wifi | undefined
    former: Secret | undefined
    isSecond: boolean
  },
): Order[] {
  const { staged, next, former } = given
  const { password } = staged
  const accounts = password ? changer.accounts(router.username) : []
  return [
    ...(next ? wifiOrders(step, { ...given, next }, choice.what.includes('name')) : []),
    ...accounts.map((account) => ({
      set: 'password' as const,
      account,
      secret: password as Secret,
      former,
    })),
  ]
}

function wifiOrders(
  step: Step,
  given: { view: RouterView; sections: readonly string[]; next: Wifi; isSecond: boolean },
  isRenamed: boolean,
): Order[] {
  const { view, sections, isSecond } = given
  const { ssid, passphrase: secret } = given.next
  if (isSecond)
    return sections.map((like, index) => {
      const section = extraSection(index)
      return { add: 'wifi', section, like, ssid, secret }
    })
  if (step === 'add') return [{ add: 'extra', section: EXTRA_SECTION, secret, beside: sections }]
  const isNamed = (section: string) =>
    view.accessPoints.some((each) => each.section === section && each.ssid === ssid)
  const isRetiring = step === 'retire'
  return [
    ...sections.flatMap((section): Order[] => [
      ...((isRetiring ? !isNamed(section) : isRenamed)
        ? [{ set: 'ssid', section, ssid } as const]
        : []),
      { set: 'passphrase', section, secret },
    ]),
    ...(isRetiring ? extrasOf(view) : []).map(
      ({ section }) => ({ remove: 'extra', section }) as const,
    ),
  ]
}

async function testAndConfirm(
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
