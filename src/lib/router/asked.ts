import { readSshConfig, type ConfiguredHost } from '../ssh/config.js'
import { readIdentity } from '../ssh/identity.js'
import { parseFingerprint } from '../ssh/host-key.js'
import type { HostKeyType, Identity } from '../ssh/types.js'
import type { Secret } from '../secret.js'
import { readSecretFile } from '../secret-file.js'
import { parseJump } from './jump.js'
import type { RouterToAdd } from './to-add.js'
import type { RouterDriver } from './types.js'

/** A router as its flags describe it; OpenSSH's configuration fills what they leave open. */
export interface RouterFlags {
  driver: RouterDriver
  address: string
  port?: number | undefined
  username?: string | undefined
  identity?: string | undefined
  agent: boolean
  'password-file'?: string | undefined
  'host-key'?: string | undefined
  'host-key-type'?: HostKeyType | undefined
  jump?: string[] | undefined
  'ssh-config'?: string | undefined
  ssid?: string | undefined
  'wifi-password-file'?: string | undefined
  offline: boolean
  replace: boolean
}

/** Where secrets come from that no file of the flags holds. */
export interface SecretSources {
  password: () => Promise<Secret>
  passphrase: () => Promise<Secret>
}

/**
 * Reads what flags and OpenSSH's configuration say of a router, and its secrets.
 * @throws UsageError for anything that cannot be read or is no such thing
 */
export async function readRouterFlags(
  installation: string,
  flags: RouterFlags,
  sources: SecretSources,
): Promise<RouterToAdd> {
  const lookUp = await readSshConfig(flags['ssh-config'])
  const configured = lookUp(flags.address)
  const { 'host-key': hostKey } = flags
  const jumps = (flags.jump ?? configured.jumps).map((text) => parseJump(text, lookUp))
  const identity = await identityOf(flags, configured, sources)
  const hasPassword = flags['password-file'] !== undefined || (!identity && !flags.agent)
  return {
    installation,
    driver: flags.driver,
    address: configured.address,
    port: flags.port ?? configured.port ?? 22,
    username: flags.username ?? configured.username ?? 'root',
    fingerprint: hostKey === undefined ? undefined : parseFingerprint(hostKey),
    hostKeyType: flags['host-key-type'],
    jumps,
    password: hasPassword ? await sources.password() : undefined,
    identity,
    wifi: await readWifi(flags),
    isOffline: flags.offline,
    isReplacing: flags.replace,
  }
}

async function identityOf(
  flags: RouterFlags,
  { identityFile }: ConfiguredHost,
  { passphrase }: SecretSources,
): Promise<Identity | undefined> {
  const isAnswered = flags.agent || flags['password-file'] !== undefined
  const path = flags.identity ?? (isAnswered ? undefined : identityFile)
  if (path === undefined) return undefined
  const source = flags.identity === undefined ? 'IdentityFile' : '--identity'
  return readIdentity(path, source, passphrase)
}

async function readWifi({ ssid, 'wifi-password-file': file }: RouterFlags) {
  if (ssid === undefined || file === undefined) return undefined
  return { ssid, password: await readSecretFile(file, '--wifi-password-file') }
}
