import { NotFoundError, UsageError } from '../errors.js'
import type { Fault } from '../rows/lines.js'
import type { HostKey } from '../ssh/types.js'

/** The kinds of routers that are known by name. */
export const ROUTER_DRIVERS = ['openwrt', 'rutos', 'routeros'] as const
/** One of {@link ROUTER_DRIVERS}. */
export type RouterDriver = (typeof ROUTER_DRIVERS)[number]

/** The secrets of a router: its password, a private key that opens it, the Wi-Fi's passphrase. */
export const CREDENTIAL_KINDS = ['admin', 'identity', 'wifi'] as const
/** One of {@link CREDENTIAL_KINDS}. */
export type CredentialKind = (typeof CREDENTIAL_KINDS)[number]

/** How one logs in to a router; with `agent` the credential is in an engineer's ssh-agent alone. */
export type RouterLogin = 'password' | 'identity' | 'agent'

/** A host on the way to a router, entered with the caller's own keys. */
export interface RouterJump {
  address: string
  port: number
  username: string
  hostKey: HostKey
}

/** What is recorded of a router beside its secrets. */
export interface RouterFacts {
  driver: RouterDriver
  address: string
  port: number
  username: string
  login: RouterLogin
  hostKey: HostKey
  jumps: readonly RouterJump[]
}

const ADDRESS_FORM = /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/
const IPV6_FORM = /^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9._-]+)?$/
const USERNAME_FORM = /^[A-Za-z_][A-Za-z0-9._-]{0,63}$/
const PRINTABLE = /^[\x20-\x7e]+$/
const MAX_PASSWORD_BYTES = 256

/** What is wrong with a host name or IP address; undefined for a good one. */
export function faultOfAddress(address: string): Fault | undefined {
  if (ADDRESS_FORM.test(address) || IPV6_FORM.test(address)) return undefined
  return { code: 'bad-address', reason: 'an address is a host name or an IP address' }
}

/** What is wrong with a user name; undefined for a good one. */
export function faultOfUsername(username: string): Fault | undefined {
  if (USERNAME_FORM.test(username)) return undefined
  const reason = 'a user name is letters, digits, dots, hyphens and underscores, 64 at most'
  return { code: 'bad-username', reason }
}

/** What is wrong with a port; undefined for a good one. */
export function faultOfPort(port: number): Fault | undefined {
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return undefined
  return { code: 'bad-port', reason: 'a port is a number from 1 to 65535' }
}

/** What is wrong with a router's password; undefined for one that a router can have. */
export function faultOfPassword(password: string): Fault | undefined {
  const isGood = !/[\r\n\0]/.test(password) && Buffer.byteLength(password) <= MAX_PASSWORD_BYTES
  if (isGood) return undefined
  const reason = `a password is one line of ${MAX_PASSWORD_BYTES} bytes at most`
  return { code: 'bad-password', reason }
}

/**
 * What is wrong with a Wi-Fi's name or passphrase; undefined for good ones. IEEE 802.11 allows any 32
 * bytes as a name; others than printable ASCII are written differently by every router.
 */
export function faultOfWifi(ssid: string, passphrase: string): Fault | undefined {
  if (!PRINTABLE.test(ssid) || ssid.length > 32)
    return { code: 'bad-ssid', reason: 'an SSID is 1 to 32 printable ASCII characters' }
  const isPassphrase = PRINTABLE.test(passphrase) && /^.{8,63}$/.test(passphrase)
  if (isPassphrase) return undefined
  const reason = 'a Wi-Fi passphrase is 8 to 63 printable ASCII characters'
  return { code: 'bad-wifi-password', reason }
}

/** Throws a fault as the UsageError of a command. */
export function refuseFault(fault: Fault | undefined): void {
  if (fault) throw new UsageError(fault.code, fault.reason)
}

/** The error for an installation without a router. */
export function unknownRouter(installation: string): NotFoundError {
  return new NotFoundError('router-not-found', `no router is recorded for ${installation}`, {
    suggestions: ['cleverctl router list', `cleverctl router add ${installation} --driver openwrt`],
  })
}
