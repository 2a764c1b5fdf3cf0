import { createHash } from 'node:crypto'
import type { Secret } from '../../secret.js'
import type { RouterView } from '../drivers/changer.js'
import type { Step } from './types.js'

/** The section that holds a passphrase beside the old one, or the first of a second Wi-Fi. */
export const EXTRA_SECTION = 'cleverctl_next'

/** The section of a second Wi-Fi beside the access point of that number, from 0 on. */
export function extraSection(index: number): string {
  return index === 0 ? EXTRA_SECTION : `${EXTRA_SECTION}${index + 1}`
}

/** Whether a section is one of those that a rotation adds. */
export function isExtraSection(section: string): boolean {
  return /^cleverctl_next\d*$/.test(section)
}

/** What a rotation has added to a router. */
export interface Extra {
  section: string
  digest: string | undefined
  /** Of a second Wi-Fi. */
  ssid?: string
}

/** What a rotation has added, passphrases and Wi-Fis. */
export function extrasOf({ extras, accessPoints }: RouterView): Extra[] {
  return [...extras, ...accessPoints].filter(({ section }) => isExtraSection(section))
}

/** A Wi-Fi's name and passphrase. */
export interface Wifi {
  ssid: string
  passphrase: Secret
}

/** What a Wi-Fi has to be like. Undefined: anything. */
export interface WifiGoal {
  ssid?: string
  passphrase?: Secret
  /** What works beside it; null: nothing. */
  extra: Wifi | null
}

/**
 * What a Wi-Fi is before a step.
 * @param former as it is recorded; undefined where nothing is
 */
export function goalBefore(step: Step, former: Wifi | undefined, next: Wifi | undefined): WifiGoal {
  return { ...former, extra: step === 'retire' ? (next ?? null) : null }
}

/** What a Wi-Fi is after a step. */
export function goalAfter(step: Step, former: Wifi | undefined, next: Wifi): WifiGoal {
  return step === 'add' ? { ...former, extra: next } : { ...next, extra: null }
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
  const extras = extrasOf(view)
  const { extra } = goal
  const isExtra =
    extra === null
      ? extras.length === 0
      : extras.length > 0 && extras.every((each) => isBeside(each, extra, salt))
  return (
    isExtra &&
    sections.every((section) => {
      const found = view.accessPoints.find((each) => each.section === section)
      return found !== undefined && isAccessPoint(found, goal, salt)
    })
  )
}

function isBeside({ digest, ssid }: Extra, wanted: Wifi, salt: string): boolean {
  const isName = ssid === undefined || ssid === wanted.ssid
  return isName && digest === saltedDigest(salt, wanted.passphrase)
}

function isAccessPoint(
  found: { ssid: string; digest: string | undefined },
  { ssid, passphrase }: WifiGoal,
  salt: string,
): boolean {
  const isName = ssid === undefined || found.ssid === ssid
  return isName && (passphrase === undefined || found.digest === saltedDigest(salt, passphrase))
}

/** Whether each of the sections, and of those that were added, is on air under its name where it is switched on. */
export function isOnAir(view: RouterView, sections: readonly string[]): boolean {
  const names = view.onAir.filter(({ isUp }) => isUp).map(({ ssid }) => ssid)
  for (const { section, isOn, ssid } of view.accessPoints) {
    if (!isOn || !(sections.includes(section) || isExtraSection(section))) continue
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
