import { UsageError } from '../errors.js'
import { refuseFault } from '../fault.js'
import { faultOfAddress, faultOfPort, faultOfUsername } from '../ssh/address.js'
import type { HostLookup } from '../ssh/config.js'
import { parseFingerprint } from '../ssh/host-key.js'
import type { HostToPin } from '../ssh/pin.js'

/** A jump host before its key is pinned. */
export type JumpToPin = HostToPin & { username: string }

const FORM =
  /^(?:([^@=[\]]+)@)?(?:\[([0-9A-Fa-f:.%]+)\]|([^@:=[\]]+))(?::(\d{1,5}))?(?:=(SHA256:.+))?$/

/**
 * A jump host as a person writes it: [USER@]HOST[:PORT][=SHA256:…]; OpenSSH's configuration fills what
 * is missing.
 * @throws UsageError for anything else
 */
export function parseJump(text: string, lookUp: HostLookup): JumpToPin {
  const [, user, bracketed, plain, portText, fingerprint] = FORM.exec(text) ?? []
  const name = bracketed ?? plain
  if (name === undefined)
    throw new UsageError('bad-jump', 'a jump host is written [USER@]HOST[:PORT][=SHA256:…]')
  const configured = lookUp(name)
  const port = portText === undefined ? (configured.port ?? 22) : Number(portText)
  const username = user ?? configured.username ?? 'root'
  const { address } = configured
  refuseFault(faultOfAddress(address) ?? faultOfPort(port) ?? faultOfUsername(username))
  return {
    address,
    port,
    username,
    fingerprint: fingerprint === undefined ? undefined : parseFingerprint(fingerprint),
    type: undefined,
  }
}
