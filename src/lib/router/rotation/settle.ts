import { FailureError, RefusedError } from '../../errors.js'
import type { Secret } from '../../secret.js'
import type { SshSession } from '../../ssh/session.js'
import type { SshLogin } from '../../ssh/types.js'
import type { Workspace } from '../../workspace.js'
import { openCredential } from '../credential.js'
import type { Changer, RouterView } from '../drivers/changer.js'
import { newSalt } from '../drivers/salt.js'
import { selectCurrentCredentials, type CurrentCredential, type RouterRow } from '../store.js'
import type { Ways } from '../../ssh/pin.js'
import { loginOf } from '../../ssh/way-in.js'
import { openRouter, recordedLogin } from '../way-in.js'
import { selectStaged } from './credential-store.js'
import { decide, type Evidence, type Verdict } from './decide.js'
import { selectInGrace } from './overlap-store.js'
import { recordVerdict } from './record.js'
import type { OpenRotation } from './store.js'
import { goalAfter, goalBefore, isOnAir, isWifi, type Wifi, type WifiGoal } from './wifi.js'

/** Undoing and confirming settle it at the second look; what needs more is no router. */
const MAX_LOOKS = 4

/** A rotation that is to be settled. */
export interface Unsettled {
  router: RouterRow
  rotation: OpenRotation
  changer: Changer
  /** Whether it may still be confirmed, when all of it shows as new. */
  mayConfirm: boolean
}

/**
 * Asks a router which secrets are in force after a rotation was cut off, has it finished or undone, and records what
 * came of it. The credential that opened the router is the one in force.
 * @throws what `openRouter` throws: then nothing is recorded, and the rotation stays open
 */
export async function settleRotation(
  workspace: Workspace,
  unsettled: Unsettled,
  ways: Pick<Ways, 'environment'>,
): Promise<Verdict> {
  const secrets = await openSecrets(workspace, unsettled)
  const { rotation, changer } = unsettled
  const salt = newSalt(workspace.random)
  let expected: 'OLD' | 'NEW' = rotation.state === 'STAGED' ? 'OLD' : 'NEW'
  let wasForeign = false
  for (let looks = 0; looks < MAX_LOOKS; looks++) {
    const { session, login } = await enter(workspace, unsettled, { secrets, expected }, ways)
    try {
      const view = await changer.look(session, { id: rotation.changeId, salt })
      const decision = decide(evidenceOf(unsettled, { secrets, view, salt, login }))
      // One that goes back between the login and the look shows half of each, once.
      if ('verdict' in decision && decision.verdict === 'FOREIGN' && !wasForeign) {
        wasForeign = true
        expected = 'OLD'
        continue
      }
      if ('verdict' in decision) {
        await recordVerdict(workspace, unsettled, { verdict: decision.verdict, login })
        return decision.verdict
      }
      const isDone = await changer[decision.act](session, rotation.changeId)
      if (isDone) expected = decision.act === 'confirm' ? 'NEW' : 'OLD'
    } finally {
      session.close()
    }
  }
  throw new FailureError(
    'rotation-unsettled',
    `the router of ${unsettled.router.installation} says something else each time`,
  )
}

/** The secrets before and after a rotation, opened. */
interface Secrets {
  credentials: readonly CurrentCredential[]
  newPassword: Secret | undefined
  wifi: { before: WifiGoal; after: WifiGoal } | undefined
}

async function openSecrets(
  workspace: Workspace,
  { router, rotation }: Unsettled,
): Promise<Secrets> {
  const { database } = workspace
  const keyring = await workspace.keyring()
  const credentials = await selectCurrentCredentials(database, router.id)
  const staged = await selectStaged(database, rotation.id)
  const grace = await selectInGrace(database, router.id)
  const wifiOf = (rows: readonly CurrentCredential[]): Wifi | undefined => {
    const row = rows.find(({ kind }) => kind === 'wifi')
    return row && { ssid: row.name, passphrase: openCredential(keyring, row) }
  }
  const isRetiring = rotation.step === 'retire'
  const former = wifiOf(isRetiring ? grace : credentials)
  const next = wifiOf(isRetiring ? credentials : staged)
  const password = staged.find(({ kind }) => kind === 'admin')
  return {
    credentials,
    newPassword: password && openCredential(keyring, password),
    wifi: next && {
      before: goalBefore(rotation.step, former, next),
      after: goalAfter(rotation.step, former, next),
    },
  }
}

/** Logs in by whichever password is in force; the likelier first, for a router counts what fails. */
async function enter(
  workspace: Workspace,
  { router }: Unsettled,
  { secrets, expected }: { secrets: Secrets; expected: 'OLD' | 'NEW' },
  ways: Pick<Ways, 'environment'>,
): Promise<{ session: SshSession; login: Evidence['login'] }> {
  const { newPassword, credentials } = secrets
  const recorded = () => recordedLogin(workspace, router, credentials, ways)
  const open = async (login: SshLogin) => openRouter(workspace, router, login, ways)
  if (newPassword === undefined || router.login !== 'password')
    return { session: await open(await recorded()), login: 'NONE' }
  const old = { login: 'OLD', credential: recorded } as const
  const next = { login: 'NEW', credential: async () => loginOf('password', newPassword) } as const
  const [likelier, other] = expected === 'OLD' ? [old, next] : [next, old]
  // A router that goes back between two attempts refuses both: then the first one is right.
  const inOrder = [likelier, other, likelier]
  let refusal: unknown
  for (const { login, credential } of inOrder) {
    try {
      return { session: await open(await credential()), login }
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error
      refusal = error
    }
  }
  throw refusal
}

function evidenceOf(
  { rotation, router, mayConfirm }: Unsettled,
  given: { secrets: Secrets; view: RouterView; salt: string; login: Evidence['login'] },
): Evidence {
  const { secrets, view, salt, login } = given
  const { changeId, sections, parts } = rotation
  const is = (goal: WifiGoal) => isWifi(view, sections, goal, salt)
  const wifi = secrets.wifi ? verdictOf(secrets.wifi, is) : 'NONE'
  // A password that does not log in here shows nowhere.
  const isPasswordProven =
    !parts.includes('admin') || (router.login === 'password' && login === 'NEW')
  const isWifiProven = wifi === 'NONE' || (wifi === 'NEW' && isOnAir(view, sections))
  return { changeId, view, wifi, login, isProven: mayConfirm && isPasswordProven && isWifiProven }
}

function verdictOf(
  { before, after }: { before: WifiGoal; after: WifiGoal },
  is: (goal: WifiGoal) => boolean,
): Verdict {
  if (is(after)) return 'NEW'
  return is(before) ? 'OLD' : 'FOREIGN'
}
