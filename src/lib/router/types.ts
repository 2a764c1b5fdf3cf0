import { NotFoundError } from '../errors.js'
import type { Fault } from '../fault.js'
import type { HostKey, JumpHost } from '../ssh/types.js'

/** The kinds of routers that are known by name. */
export const ROUTER_DRIVERS = ['openwrt', 'rutos', 'routeros'] as const
/** One of {@link ROUTER_DRIVERS}. */
export type RouterDriver = (typeof ROUTER_DRIVERS)[number]

/** The secrets of a router: its password, a private key that opens it, the Wi-Fi's passphrase. */
export type CredentialKind = 'admin' | 'identity' | 'wifi'

/** How one logs in to a router; with `agent` the credential is in an engineer's ssh-agent alone. */
export type RouterLogin = 'password' | 'identity' | 'agent'

/** What is recorded of a router beside its secrets. */
export interface RouterFacts {
  driver: RouterDriver
  address: string
  port: number
  username: string
  login: RouterLogin
  hostKey: HostKey
  jumps: readonly JumpHost[]
}

const PRINTABLE = /^[\x20-\x7e]+$/
const MAX_PASSWORD_BYTES = 256

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

/** The error for an installation without a router. */
export function unknownRouter(installation: string): NotFoundError {
  return new NotFoundError('router-not-found', `no router is recorded for ${installation}`, {
    suggestions: ['cleverctl router list', `cleverctl router add ${installation} --driver openwrt`],
  })
}
