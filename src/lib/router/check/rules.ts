import { Secret } from '../../secret.js'
import type { AccessPointState, RouterState } from '../drivers/inspector.js'
import { isExtraSection, saltedDigest } from '../rotation/wifi.js'
import { adviceFor } from './advice.js'
import { isOlderFirmware } from './firmware.js'
import { guess } from './guessable.js'
import { finding, type CheckRuleId, type Expected, type RouterFinding } from './types.js'

/** A rotation keeps copies of what it changes: with less it does not begin. */
const ROOM_KIB = 64
const WEAK = /^(?:none|open|owe|wep|psk$|psk[+-]|psk-mixed|wpa$|wpa[+]|mixed)|tkip/

/** What a router's state holds against what is recorded of it, and against good practice. */
export function judgeRouter(state: RouterState, expected: Expected, salt: string): RouterFinding[] {
  const { installation } = expected
  const found: RouterFinding[] = []
  const say = (rule: CheckRuleId, evidence: string, next: string) =>
    found.push(finding(rule, installation, evidence, next))
  for (const point of state.accessPoints.filter(({ isOn }) => isOn)) {
    judgeDrift(point, expected, salt, say)
    judgeAccessPoint(point, expected, say)
  }
  judgeSecrets(state, expected, salt, say)
  judgeExtras(state, expected, say)
  judgeLogins(state, expected, say)
  judgeFirmware(state, expected, say)
  judgeUnfinished(state, expected, say)
  return found
}

type Say = (rule: CheckRuleId, evidence: string, next: string) => void

function judgeDrift(
  { section, ssid, keyDigest }: AccessPointState,
  expected: Expected,
  salt: string,
  say: Say,
): void {
  const { installation, wifi, former, isRotating } = expected
  // A second Wi-Fi that is not confirmed yet has a name that is in force nowhere.
  if (wifi === undefined || (isRotating && isExtraSection(section))) return
  const next = `cleverctl router show ${installation}`
  const right = [wifi, ...(former ? [former] : [])]
  if (!right.some((each) => each.ssid === ssid)) {
    const names = [...new Set(right.map((each) => quoted(each.ssid)))]
    say('ssid-changed', `${section} is called ${quoted(ssid)}, not ${names.join(' or ')}`, next)
  }
  const isRight = right.some(({ passphrase }) => saltedDigest(salt, passphrase) === keyDigest)
  if (keyDigest !== undefined && !isRight)
    say('wifi-key-changed', `the passphrase of ${section} is not the recorded one`, next)
}

function judgeAccessPoint(point: AccessPointState, { driver }: Expected, say: Say): void {
  const { section, ssid, encryption, pmf, wps, isOnAir } = point
  const advice = adviceFor(driver)
  if (WEAK.test(encryption))
    say('weak-encryption', `${section} has ${encryption}`, advice.encryption(section))
  else if (pmf === 'off') say('pmf-off', `${section} has ${encryption}`, advice.pmf(section))
  if (wps) say('wps-on', `${section} has WPS`, advice.wps(section))
  if (isOnAir === false) say('not-on-air', `${section} (${quoted(ssid)}) is not on air`, advice.log)
}

/** Each secret as it is on the router; the recorded password was seen to open it just now. */
function judgeSecrets(
  { accessPoints, extras, labels, hostname }: RouterState,
  { installation, password }: Expected,
  salt: string,
  say: Say,
): void {
  const names = accessPoints.map(({ ssid }) => ssid)
  const known = [...labels, hostname, ...names].filter((label) => label !== '')
  const rotate = (what: string) => `cleverctl router rotate ${installation} --what ${what}`
  const digests = new Set([...accessPoints, ...extras].flatMap(({ keyDigest }) => keyDigest ?? []))
  for (const digest of digests) {
    const rule = guess(known, (candidate) => saltedDigest(salt, new Secret(candidate)) === digest)
    if (rule) say(rule, "the Wi-Fi's passphrase", rotate('wifi'))
  }
  const secret = password?.reveal()
  const rule = secret === undefined ? undefined : guess(known, (each) => each === secret)
  if (rule) say(rule, "the router's password", rotate('admin'))
}

function judgeExtras({ extras }: RouterState, expected: Expected, say: Say): void {
  const { installation, isRotating, former } = expected
  const isOurs = isRotating || former !== undefined
  for (const { section, mac } of extras) {
    if (isExtraSection(section) && isOurs) continue
    const whose = mac === undefined ? 'for every device' : `for ${mac}`
    const next = adviceFor(expected.driver).extra(installation, section)
    say('extra-passphrase', `the section ${section} has one, ${whose}`, next)
  }
}

function judgeLogins(state: RouterState, expected: Expected, say: Say): void {
  const { installation, keys } = expected
  const advice = adviceFor(expected.driver)
  for (const { name, password } of state.accounts)
    if (password === 'empty')
      say('empty-password', `the account ${name}`, advice.password(installation, name))
  for (const { port, takesPasswords } of state.ssh ?? [])
    if (takesPasswords)
      say('ssh-password-login', `the SSH server on port ${port}`, advice.passwordLogin)
  if (state.unseen.length > 0)
    say('not-seen', `${state.unseen.join('; ')}`, 'look at the router itself')
  if (keys === undefined) return
  for (const { type, fingerprint } of state.authorizedKeys)
    if (fingerprint !== undefined && !keys.includes(fingerprint))
      say('unknown-authorized-key', `${type} ${fingerprint}`, advice.authorizedKey)
  // A recorded key has just opened the router: as many keys as are recorded are those.
  const nameless = state.authorizedKeys.filter(({ fingerprint }) => fingerprint === undefined)
  if (nameless.length > keys.length)
    say(
      'unknown-authorized-key',
      `${nameless.length} keys open it, ${keys.length} of them recorded`,
      advice.authorizedKey,
    )
}

function judgeFirmware({ firmware }: RouterState, { wantedFirmware }: Expected, say: Say): void {
  if (wantedFirmware === undefined) return
  const next = `update to ${wantedFirmware} or later`
  const isOlder = isOlderFirmware(firmware.version, wantedFirmware)
  if (isOlder === undefined) say('firmware-unknown', `${firmware.name} ${firmware.version}`, next)
  else if (isOlder) say('firmware-outdated', `${firmware.name} ${firmware.version}`, next)
}

function judgeUnfinished(state: RouterState, expected: Expected, say: Say): void {
  const { installation, isRotating } = expected
  const { change, staged, flash } = state
  if (change)
    say(
      'unfinished-rotation',
      `the change ${change.id} is ${change.state} on the router`,
      `cleverctl router reconcile ${installation}`,
    )
  else if (isRotating)
    say(
      'unfinished-rotation',
      'a new secret is recorded and not in force',
      `cleverctl router reconcile ${installation}`,
    )
  for (const { what, count } of staged)
    say('staged-edits', `${count} in ${what}`, `on the router: uci changes ${what}`)
  if (flash && flash.freeKiB < ROOM_KIB)
    say(
      'flash-full',
      `${flash.freeKiB} KiB of ${flash.totalKiB} are free`,
      adviceFor(expected.driver).flash,
    )
}

const quoted = (ssid: string) => JSON.stringify(ssid)
