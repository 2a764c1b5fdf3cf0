import type { Secret } from '../../secret.js'
import type { Order, RouterView } from '../drivers/changer.js'
import type { StagedRotation } from './stage.js'
import type { Change, Step } from './types.js'
import { EXTRA_SECTION, extraSection, extrasOf, type Wifi } from './wifi.js'

/** What a router is told to do for a change, in this order. */
export function ordersOf(
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
