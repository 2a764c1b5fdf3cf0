import { randomBase62 } from '../base62.js'
import type { Random } from '../clock.js'
import type { Keyring } from '../keyring/keyring.js'
import { Secret } from '../secret.js'
import { loadDriver } from '../ssh/driver.js'
import { identityFingerprint, packIdentity } from '../ssh/identity.js'
import { openSession, type SshSession } from '../ssh/session.js'
import type { Identity, SshLogin } from '../ssh/types.js'
import { agentLogin, loginOf } from '../ssh/way-in.js'
import type { Workspace } from '../workspace.js'
import { selectSealedIdentities, type HostRow, type SealedIdentity } from './store.js'
import type { HostFacts } from './types.js'

const ID_LENGTH = 8
const sealedAs = (identityId: string) => `host-identity:${identityId}`

/** Seals the private key that opens a host. */
export async function sealIdentity(
  keyring: Keyring,
  random: Random,
  identity: Identity,
): Promise<SealedIdentity> {
  const identityId = randomBase62(random, ID_LENGTH)
  const packed = Buffer.from(packIdentity(identity).reveal())
  return {
    identityId,
    sealed: keyring.seal(packed, sealedAs(identityId)),
    fingerprint: await identityFingerprint(identity),
  }
}

/**
 * How one logs in to a host with what is recorded of it.
 * @throws RefusedError when the keyring does not open the key, UsageError when no ssh-agent runs
 */
export async function recordedLogin(
  workspace: Pick<Workspace, 'database' | 'keyring'>,
  host: Pick<HostRow, 'id'>,
  environment: NodeJS.ProcessEnv,
): Promise<SshLogin> {
  return (await recordedLogins(workspace, [host], environment))(host)
}

/**
 * The same for several hosts.
 * @returns the login of one of them; it throws what {@link recordedLogin} throws
 * @throws RefusedError when the keyring cannot be opened
 */
export async function recordedLogins(
  workspace: Pick<Workspace, 'database' | 'keyring'>,
  hosts: readonly Pick<HostRow, 'id'>[],
  environment: NodeJS.ProcessEnv,
): Promise<(host: Pick<HostRow, 'id'>) => SshLogin> {
  const hostIds = hosts.map(({ id }) => id)
  // Whoever asks is going to connect: what that needs is loaded while the database answers.
  const [found] = await Promise.all([
    selectSealedIdentities(workspace.database, hostIds),
    loadDriver(),
  ])
  const keyring = found.size === 0 ? undefined : await workspace.keyring()
  return ({ id }) => {
    const mine = found.get(id)
    if (mine === undefined || keyring === undefined) return agentLogin(environment)
    const packed = keyring.open(mine.sealed, sealedAs(mine.identityId))
    return loginOf('identity', new Secret(packed.toString('utf8')))
  }
}

/**
 * Logs in to a host. Close the session when done.
 * @param more.username another one than the recorded
 * @throws what `openSession` throws
 */
export async function openHost(
  { signal }: Pick<Workspace, 'signal'>,
  host: Pick<HostFacts, 'address' | 'port' | 'username' | 'hostKey'>,
  login: SshLogin,
  more: { username?: string; connectTimeoutMs?: number } = {},
): Promise<SshSession> {
  const { address, port, hostKey } = host
  const { username = host.username, ...limits } = more
  return openSession({ address, port, username, hostKey, logins: [login] }, [], {
    signal,
    ...limits,
  })
}

/** Logs in and out again: the login works. @throws what {@link openHost} throws */
export async function proveHostLogin(
  workspace: Pick<Workspace, 'signal'>,
  host: HostFacts,
  login: SshLogin,
): Promise<void> {
  const session = await openHost(workspace, host, login)
  session.close()
}
