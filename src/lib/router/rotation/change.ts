import type { Secret } from '../../secret.js'
import type { Ways } from '../../ssh/pin.js'
import type { Workspace } from '../../workspace.js'
import { openCredential } from '../credential.js'
import { newSalt } from '../drivers/salt.js'
import type { CurrentCredential } from '../store.js'
import { openRouter, recordedLogin } from '../way-in.js'
import { testAndConfirm, type Changed } from './confirm.js'
import { ordersOf } from './orders.js'
import { selectInGrace } from './overlap-store.js'
import { isSecondWifi, nameOf, refuseBusy, refuseForeign, sectionsOf } from './scope.js'
import { newChangeId, stageRotation } from './stage.js'
import { moveRotation } from './store.js'
import type { Change } from './types.js'
import { goalAfter, type Wifi } from './wifi.js'

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
