import { RefusedError } from '../errors.js'
import type { Identity, ScriptResult, SshLogin } from '../ssh/types.js'
import { agentLogin } from '../ssh/way-in.js'
import type { Workspace } from '../workspace.js'
import { CONNECT_TIMEOUT_MS } from './reach.js'
import { lastWords } from './say.js'
import type { HostRow } from './store.js'
import { openHost } from './way-in.js'

/** Somebody who is root on a host, or becomes root there by sudo without a password. */
export interface Administrator {
  username: string
  /** Undefined: the caller's ssh-agent has it. */
  identity: Identity | undefined
}

/** With it install.sh ends where root does not run it (EX_NOPERM of sysexits.h). */
const NOT_ROOT = 77

/**
 * Runs a script of the shell on a host as root. It goes there on stdin, so that secrets may stand in it.
 * @param given.suggestion what to do where the administrator is not root
 * @returns how it ended
 * @throws RefusedError where the administrator is not root, and what `openHost` and `SshSession.run` throw
 */
export async function runAsRoot(
  workspace: Pick<Workspace, 'signal'>,
  host: HostRow,
  given: {
    script: string
    administrator: Administrator
    environment: NodeJS.ProcessEnv
    suggestion: string
  },
): Promise<ScriptResult> {
  const { username, identity } = given.administrator
  const login: SshLogin = identity ? { kind: 'identity', identity } : agentLogin(given.environment)
  const limits = { username, connectTimeoutMs: CONNECT_TIMEOUT_MS }
  const session = await openHost(workspace, host, login, limits)
  try {
    const run = 'if [ "$(id -u)" = 0 ]; then exec sh -s; else exec sudo -n sh -s; fi'
    const result = await session.run(run, { stdin: Buffer.from(given.script) })
    const words = lastWords({ ...result, stdout: Buffer.alloc(0) })
    if (result.code !== 0 && (result.code === NOT_ROOT || /sudo/.test(words)))
      throw new RefusedError('not-root', `${host.name}: ${username} does not become root there`, {
        suggestions: [given.suggestion],
      })
    return result
  } finally {
    session.close()
  }
}
