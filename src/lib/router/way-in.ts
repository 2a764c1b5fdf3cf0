import { ConflictError } from '../errors.js'
import type { Ways } from '../ssh/pin.js'
import { openSession, type SshSession } from '../ssh/session.js'
import type { SshLogin } from '../ssh/types.js'
import { agentLogin, jumpHosts, loginOf } from '../ssh/way-in.js'
import type { Workspace } from '../workspace.js'
import { openCredential } from './credential.js'
import type { CurrentCredential } from './store.js'
import type { RouterFacts } from './types.js'

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
