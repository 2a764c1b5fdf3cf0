import { setMaxListeners } from 'node:events'
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

/** Connections to hosts that are being made. */
export interface Logins {
  /**
   * Works on each host as soon as it is logged in to; one that fails does not keep the others from answering.
   * @throws CancelledError, and bugs; whatever a person can act on stands in the place of the result
   */
  work<Result>(
    work: (session: SshSession, host: HostRow) => Promise<Result>,
  ): Promise<Reached<Result>[]>
  /** Ends every connection, made or not; afterwards there is none. */
  close(): Promise<void>
}

/**
 * Begins to log in to every host at once. Whoever has something to settle first does that meanwhile, and closes the
 * connections in every case.
 * @param username another one than the recorded
 */
export function logIn(
  workspace: Workspace,
  hosts: readonly HostRow[],
  environment: NodeJS.ProcessEnv,
  username?: string,
): Logins {
  const closing = new AbortController()
  const signal = AbortSignal.any([workspace.signal, closing.signal])
  // Each host listens, and Node.js warns of more than ten.
  setMaxListeners(0, signal)
  const logins = recordedLogins(workspace, hosts, environment)
  const begin = async (host: HostRow) => open({ signal }, host, (await logins)(host), username)
  const sessions = new Map(hosts.map((host) => [host, begin(host)]))
  // What went wrong is told to whoever works on the hosts.
  const opened = Promise.allSettled(sessions.values())
  return {
    work: async (work) => {
      await logins
      return onEach(workspace, hosts, (host) =>
        inSession(sessions.get(host) as Promise<SshSession>, host, work),
      )
    },
    close: async () => {
      closing.abort()
      for (const each of await opened) if (each.status === 'fulfilled') each.value.close()
    },
  }
}

/** Logs in to every host at once and works on each, in the way of {@link logIn}. @throws what `work` of it throws */
export async function onHosts<Result>(
  workspace: Workspace,
  hosts: readonly HostRow[],
  environment: NodeJS.ProcessEnv,
  work: (session: SshSession, host: HostRow) => Promise<Result>,
  username?: string,
): Promise<Reached<Result>[]> {
  return logIn(workspace, hosts, environment, username).work(work)
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
  return inSession(open(workspace, host, login, username), host, work)
}

async function open(
  { signal }: Pick<Workspace, 'signal'>,
  host: HostRow,
  login: SshLogin,
  username = host.username,
): Promise<SshSession> {
  return openHost({ signal }, host, login, { username, connectTimeoutMs: CONNECT_TIMEOUT_MS })
}

async function inSession<Result>(
  opening: Promise<SshSession>,
  host: HostRow,
  work: (session: SshSession, host: HostRow) => Promise<Result>,
): Promise<Result> {
  const session = await opening
  try {
    return await work(session, host)
  } finally {
    session.close()
  }
}
