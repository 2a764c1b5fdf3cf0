import { CancelledError, ExpectedError } from '../errors.js'
import type { SshSession } from '../ssh/session.js'
import type { SshLogin } from '../ssh/types.js'
import type { Workspace } from '../workspace.js'
import type { HostRow } from './store.js'
import { openHost, recordedLogin, recordedLogins } from './way-in.js'

/** A host and what the work on it gave, or why it gave nothing. */
export interface Reached<Result> {
  host: HostRow
  result: Result | ExpectedError
}

/** A host that is not there is known sooner than a slow one: the estate has cables, not radio links. */
export const CONNECT_TIMEOUT_MS = 10_000

/**
 * Logs in to every host at once and works on each; one that fails does not keep the others from answering.
 * @param username another one than the recorded
 * @throws CancelledError, and bugs; whatever a person can act on stands in the place of the result
 */
export async function onHosts<Result>(
  workspace: Workspace,
  hosts: readonly HostRow[],
  environment: NodeJS.ProcessEnv,
  work: (session: SshSession, host: HostRow) => Promise<Result>,
  username?: string,
): Promise<Reached<Result>[]> {
  const loginOf = await recordedLogins(workspace, hosts, environment)
  return onEach(workspace, hosts, (host) =>
    inSession(workspace, host, loginOf(host), work, username),
  )
}

/** Does the same to every host at once, in the way of {@link onHosts}. @throws what that throws */
export async function onEach<Result>(
  { signal }: Pick<Workspace, 'signal'>,
  hosts: readonly HostRow[],
  work: (host: HostRow) => Promise<Result>,
): Promise<Reached<Result>[]> {
  return Promise.all(
    hosts.map(async (host) => {
      try {
        return { host, result: await work(host) }
      } catch (error) {
        if (error instanceof CancelledError || signal.aborted) throw error
        if (error instanceof ExpectedError) return { host, result: error }
        throw error
      }
    }),
  )
}

/** The same on one host. @throws what {@link openHost} and the work throw */
export async function onHost<Result>(
  workspace: Workspace,
  host: HostRow,
  environment: NodeJS.ProcessEnv,
  work: (session: SshSession, host: HostRow) => Promise<Result>,
  username?: string,
): Promise<Result> {
  const login = await recordedLogin(workspace, host, environment)
  return inSession(workspace, host, login, work, username)
}

async function inSession<Result>(
  workspace: Workspace,
  host: HostRow,
  login: SshLogin,
  work: (session: SshSession, host: HostRow) => Promise<Result>,
  username = host.username,
): Promise<Result> {
  const limits = { username, connectTimeoutMs: CONNECT_TIMEOUT_MS }
  const session = await openHost(workspace, host, login, limits)
  try {
    return await work(session, host)
  } finally {
    session.close()
  }
}
