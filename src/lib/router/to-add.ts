import { ConflictError } from '../errors.js'
import { refuseFault } from '../fault.js'
import type { Secret } from '../secret.js'
import { faultOfAddress, faultOfPort, faultOfUsername } from '../ssh/address.js'
import { packIdentity } from '../ssh/identity.js'
import type { HostKeyType, Identity } from '../ssh/types.js'
import type { Workspace } from '../workspace.js'
import { digester } from './credential.js'
import type { JumpToPin } from './jump.js'
import {
  faultOfPassword,
  faultOfWifi,
  type CredentialKind,
  type RouterDriver,
  type RouterLogin,
} from './types.js'

/** A router that is to be recorded. */
export interface RouterToAdd {
  installation: string
  driver: RouterDriver
  address: string
  port: number
  username: string
  /** The fingerprint that somebody vouches for, and its type; undefined: a person is asked. */
  fingerprint: string | undefined
  hostKeyType: HostKeyType | undefined
  /** First to last. */
  jumps: readonly JumpToPin[]
  /** With neither, the caller's ssh-agent opens the router. */
  password: Secret | undefined
  identity: Identity | undefined
  wifi: { ssid: string; password: Secret } | undefined
  /** The router is not contacted: neither its host key nor the credential is proven. */
  isOffline: boolean
  /** Replaces what is recorded already. */
  isReplacing: boolean
}

/** A secret of it, not sealed yet. */
export interface NewSecret {
  kind: CredentialKind
  name: string
  secret: Secret
  digest: Buffer
}

/** Throws UsageError for facts that no router has. */
export function requireSound({ address, port, username, password, wifi }: RouterToAdd): void {
  refuseFault(faultOfAddress(address) ?? faultOfPort(port) ?? faultOfUsername(username))
  if (password) refuseFault(faultOfPassword(password.reveal()))
  if (wifi) refuseFault(faultOfWifi(wifi.ssid, wifi.password.reveal()))
}

/** The secrets of a router with their digests; neither where the ssh-agent opens it. */
export async function newSecrets(workspace: Workspace, asked: RouterToAdd): Promise<NewSecret[]> {
  const { username, password, identity, wifi } = asked
  const digest = await digester(workspace)
  const made = (kind: CredentialKind, name: string, secret: Secret): NewSecret[] => [
    { kind, name, secret, digest: digest(secret) },
  ]
  return [
    ...(password ? made('admin', username, password) : []),
    ...(identity ? made('identity', username, packIdentity(identity)) : []),
    ...(wifi ? made('wifi', wifi.ssid, wifi.password) : []),
  ]
}

/** By what one logs in to it. */
export function loginKind({ password, identity }: RouterToAdd): RouterLogin {
  if (identity) return 'identity'
  return password ? 'password' : 'agent'
}

/** The error for an installation whose recorded router is another one. */
export function alreadyThere(installation: string): ConflictError {
  return new ConflictError(
    'router-exists',
    `another router, or another credential, is recorded for ${installation}`,
    {
      suggestions: [
        `cleverctl router show ${installation}`,
        `cleverctl router add ${installation} --replace, with all its other flags`,
      ],
    },
  )
}
