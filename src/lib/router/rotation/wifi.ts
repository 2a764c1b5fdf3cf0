import { createHash } from 'node:crypto'
import type { Secret } from '../../secret.js'
import type { RouterView } from '../drivers/changer.js'
import type { Step } from './types.js'

/** The section that holds a passphrase beside the old one. */
export const EXTRA_SECTION = 'cleverctl_next'

/** A Wi-Fi's name and passphrase. */
export interface Wifi {
  ssid: string
  passphrase: Secret
}

/** What a Wi-Fi has to be like. Undefined: anything. */
export interface WifiGoal {
  ssid?: string
  passphrase?: Secret
  /** The passphrase beside it; null: none. */
  extra: Secret | null
}

/**
 * What a Wi-Fi is before a step.
 * @param former as it is recorded; undefined where nothing is
 */
export function goalBefore(step: Step, former: Wifi | undefined, next: Wifi | undefined): WifiGoal {
  return { ...former, extra: step === 'retire' ? (next?.passphrase ?? null) : null }
}

/** What a Wi-Fi is after a step. */
export function goalAfter(step: Step, former: Wifi | undefined, next: Wifi): WifiGoal {
  return step === 'add' ? { ...former, extra: next.passphrase } : { ...next, extra: null }
}

/** As a router digests what it shows: SHA-256 of the salt and the passphrase. */
export function saltedDigest(salt: string, secret: Secret): string {
  return createHash('sha256').update(salt).update(secret.reveal()).digest('hex')
}

/** Whether the sections of a router's Wi-Fi are as they have to be. */
export function isWifi(
  view: RouterView,
  sections: readonly string[],
  goal: WifiGoal,
  salt: string,
): boolean {
  const extra = view.extras.find(({ section }) => section === EXTRA_SECTION)
  const isExtra =
    goal.extra === null ? extra === undefined : extra?.digest === saltedDigest(salt, goal.extra)
  return (
    isExtra &&
    sections.every((section) => {
      const found = view.accessPoints.find((each) => each.section === section)
      return found !== undefined && isAccessPoint(found, goal, salt)
    })
  )
}

function isAccessPoint(
  found: { ssid: string; digest: string | undefined },
  { ssid, passphrase }: WifiGoal,
  salt: string,
): boolean {
  const isName = ssid === undefined || found.ssid === ssid
  return isName && (passphrase === undefined || found.digest === saltedDigest(salt, passphrase))
}

/** Whether each of the sections that is switched on is on air under its name. */
export function isOnAir(view: RouterView, sections: readonly string[]): boolean {
  const names = view.onAir.filter(({ isUp }) => isUp).map(({ ssid }) => ssid)
  for (const { section, isOn, ssid } of view.accessPoints) {
    if (!sections.includes(section) || !isOn) continue
    const index = names.indexOf(ssid)
    if (index < 0) return false
    names.splice(index, 1)
  }
  return true
}

/** How many stations are on air. */
export function stationsOf(view: RouterView): number {
  return view.onAir.reduce((sum, { stations }) => sum + stations, 0)
}
