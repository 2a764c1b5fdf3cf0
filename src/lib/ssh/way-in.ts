import { UsageError } from '../errors.js'
import type { Secret } from '../secret.js'
import { readSecretFile } from '../secret-file.js'
import { parseIdentity, unpackIdentity } from './identity.js'
import type { JumpHost, SshHost, SshLogin } from './types.js'

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
export async function jumpHosts(
  jumps: readonly JumpHost[],
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
