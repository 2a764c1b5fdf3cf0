import type { AnyAuthMethod, AuthenticationType, AuthHandlerMiddleware } from 'ssh2'
import type { SshLogin } from './types.js'

/** Which logins a connection offers, and what came of it. */
export interface LoginAttempt {
  /** For ssh2: asked for the next login after every refusal. */
  handler: AuthHandlerMiddleware
  /** Whether a credential was offered at all; a host that lets everybody in asks for none. */
  isOffered(): boolean
}

/**
 * Offers each login once. The first question is `none`, which tells what the host takes: a password
 * is then offered by one method only, because some routers block an address after few wrong ones.
 */
export function attemptLogins(username: string, logins: readonly SshLogin[]): LoginAttempt {
  const left = [...logins]
  let isOffered = false
  const handler: AuthHandlerMiddleware = (methods, _isPartial, next) => {
    // The types say otherwise, but before the first answer nothing is known.
    const taken = methods as AuthenticationType[] | null
    if (taken === null) {
      next({ type: 'none', username })
      return
    }
    for (let login = left.shift(); login !== undefined; login = left.shift()) {
      const method = methodOf(username, login, taken)
      if (method === undefined) continue
      isOffered = true
      next(method)
      return
    }
    next(false as unknown as AuthenticationType)
  }
  return { handler, isOffered: () => isOffered }
}

function methodOf(
  username: string,
  login: SshLogin,
  taken: readonly AuthenticationType[],
): AnyAuthMethod | undefined {
  switch (login.kind) {
    case 'password': {
      const password = login.password.reveal()
      if (taken.includes('password')) return { type: 'password', username, password }
      if (!taken.includes('keyboard-interactive')) return undefined
      return {
        type: 'keyboard-interactive',
        username,
        // Only a lone hidden question is one for the password.
        prompt: (_name, _instructions, _language, prompts, finish) =>
          finish(prompts.length === 1 && prompts[0]?.echo !== true ? [password] : []),
      }
    }
    case 'identity': {
      if (!taken.includes('publickey')) return undefined
      const { key, passphrase } = login.identity
      return {
        type: 'publickey',
        username,
        key: key.reveal(),
        ...(passphrase && { passphrase: passphrase.reveal() }),
      }
    }
    case 'agent':
      return taken.includes('publickey')
        ? { type: 'agent', username, agent: login.socket }
        : undefined
  }
}
