import { ConflictError, UsageError } from '../errors.js'
import { readSecretFile } from '../secret-file.js'
import { parseIdentity, unpackIdentity } from '../ssh/identity.js'
import { openSession, seeHostKey, type SshSession } from '../ssh/session.js'
import { isHostKeyType, type SeenHostKey } from '../ssh/host-key.js'
import type { HostKey, HostKeyType, SshAddress, SshHost, SshLogin } from '../ssh/types.js'
import type { Secret } from '../secret.js'
import type { Workspace } from '../workspace.js'
import { openCredential } from './credential.js'
import type { CurrentCredential } from './store.js'
import type { RouterFacts, RouterJump } from './types.js'

/** Asks a person whether a host key is the right one; throws where nobody may be asked, or on a no. */
export type ApproveHostKey = (host: SshAddress, seen: HostKey) => Promise<void>

/** What the caller brings along to get to routers. */
export interface Ways {
  environment: NodeJS.ProcessEnv
  approve: ApproveHostKey
}

/**
 * Logs in to a router, through its jump hosts. Close the session when done.
 * @throws what `openSession` throws
 */
export async function openRouter(
  { signal }: Pick<Workspace, 'signal'>,
  router: RouterFacts,
  login: SshLogin,
  { environment }: Pick<Ways, 'environment'>,
): Promise<SshSession> {
  const { address, port, username, hostKey } = router
  const jumps = await jumpHosts(router.jumps, environment)
  return openSession({ address, port, username, hostKey, logins: [login] }, jumps, { signal })
}

/** Logs in and out again: the credential opens the router. @throws what {@link openRouter} throws */
export async function proveLogin(
  workspace: Pick<Workspace, 'signal'>,
  router: RouterFacts,
  login: SshLogin,
  ways: Pick<Ways, 'environment'>,
): Promise<void> {
  const session = await openRouter(workspace, router, login, ways)
  session.close()
}

/** How one logs in to a router with what is recorded of it. */
export async function recordedLogin(
  workspace: Workspace,
  router: RouterFacts,
  credentials: readonly CurrentCredential[],
  { environment }: Pick<Ways, 'environment'>,
): Promise<SshLogin> {
  if (router.login === 'agent') return agentLogin(environment)
  const kind = router.login === 'password' ? 'admin' : 'identity'
  const credential = credentials.find((each) => each.kind === kind)
  if (credential === undefined)
    throw new ConflictError('no-credential', 'no credential that opens this router is recorded', {
      suggestions: ['cleverctl router add CODE --replace'],
    })
  const secret = openCredential(await workspace.keyring(), credential)
  return loginOf(router.login, secret)
}

/** A login with a secret in hand: a password, or a packed identity. */
export function loginOf(login: 'password' | 'identity', secret: Secret): SshLogin {
  return login === 'password'
    ? { kind: 'password', password: secret }
    : { kind: 'identity', identity: unpackIdentity(secret) }
}

/** The login by the caller's ssh-agent. Throws UsageError when none runs. */
export function agentLogin({ SSH_AUTH_SOCK }: NodeJS.ProcessEnv): SshLogin {
  if (SSH_AUTH_SOCK) return { kind: 'agent', socket: SSH_AUTH_SOCK }
  throw new UsageError('no-agent', 'no ssh-agent runs here: SSH_AUTH_SOCK is not set', {
    suggestions: ['eval "$(ssh-agent)" && ssh-add'],
  })
}

/** Jump hosts with the caller's own way in: a key of CLEVERCTL_SSH_IDENTITY, else the ssh-agent. */
async function jumpHosts(
  jumps: readonly RouterJump[],
  environment: NodeJS.ProcessEnv,
): Promise<SshHost[]> {
  if (jumps.length === 0) return []
  const { CLEVERCTL_SSH_IDENTITY: path } = environment
  const login = path ? await identityLogin(path) : agentLogin(environment)
  return jumps.map((jump) => ({ ...jump, logins: [login] }))
}

async function identityLogin(path: string): Promise<SshLogin> {
  const source = 'CLEVERCTL_SSH_IDENTITY'
  const key = await readSecretFile(path, source)
  return { kind: 'identity', identity: await parseIdentity(key, undefined, source) }
}

/** A host whose key is to be pinned. */
export interface HostToPin extends SshAddress {
  /** The fingerprint that somebody vouches for; undefined: a person is asked. */
  fingerprint: string | undefined
  /** The type that was named beside it. */
  type: HostKeyType | undefined
}

/** The type that is written down when a host is not contacted and none was named: what routers have. */
const USUAL_TYPE: HostKeyType = 'ssh-ed25519'

/**
 * The key by which a host will be known. It is looked at, and must be the one with the given fingerprint;
 * without one a person says whether it is right.
 * @param isOffline the host is not contacted, so the fingerprint must be given
 * @throws ConflictError when the host shows another key, UsageError when a fingerprint is missing
 */
export async function pinHostKey(
  { signal }: Pick<Workspace, 'signal'>,
  host: HostToPin,
  jumps: readonly RouterJump[],
  ways: Ways & { isOffline: boolean },
): Promise<HostKey> {
  const { fingerprint, type } = host
  if (ways.isOffline) {
    if (fingerprint !== undefined) return { type: type ?? USUAL_TYPE, fingerprint }
    throw new UsageError('missing-flag', 'offline, the host key cannot be seen: give --host-key')
  }
  const accepts = (seen: SeenHostKey) =>
    fingerprint === undefined ? seen.type === (type ?? seen.type) : seen.fingerprint === fingerprint
  const hops = await jumpHosts(jumps, ways.environment)
  const seen = await seeHostKey(host, hops, { signal, accepts })
  const hostKey = requirePinnable(seen)
  if (fingerprint === undefined) await ways.approve(host, hostKey)
  else if (seen.fingerprint !== fingerprint) throw notTheOne(host, seen)
  return hostKey
}

function requirePinnable({ type, fingerprint }: SeenHostKey): HostKey {
  if (isHostKeyType(type)) return { type, fingerprint }
  throw new ConflictError('bad-host-key', `a host key of type ${type} cannot be pinned`)
}

function notTheOne({ address, port }: SshAddress, seen: SeenHostKey): ConflictError {
  return new ConflictError(
    'host-key-changed',
    `${address} port ${port} shows the host key ${seen.type} ${seen.fingerprint}, not the one that was given`,
    { suggestions: ['compare it with ssh-keygen -l on the router; nothing was sent to it'] },
  )
}
