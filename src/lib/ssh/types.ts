import type { Secret } from '../secret.js'

/** The kinds of host keys that can be pinned, in the order in which a first contact asks for them. */
export const HOST_KEY_TYPES = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'ssh-rsa',
] as const

/** One of {@link HOST_KEY_TYPES}. */
export type HostKeyType = (typeof HOST_KEY_TYPES)[number]

/** A host key as it is pinned. */
export interface HostKey {
  type: HostKeyType
  /** As OpenSSH writes it: `SHA256:` and 43 characters of base64. */
  fingerprint: string
}

/** A way to log in. */
export type SshLogin =
  | { kind: 'password'; password: Secret }
  | { kind: 'identity'; identity: Identity }
  | { kind: 'agent'; socket: string }

/** A private key that opens with what stands beside it; `parseIdentity` has proven that. */
export interface Identity {
  key: Secret
  passphrase: Secret | undefined
}

/** Where a host listens. */
export interface SshAddress {
  address: string
  port: number
}

/** A host, and how one gets in. */
export interface SshHost extends SshAddress {
  username: string
  /** Any other key is refused before a credential is offered. */
  hostKey: HostKey
  /** Tried in this order, each once. */
  logins: readonly SshLogin[]
}

/** A host on the way to another one, entered with the caller's own keys. */
export type JumpHost = Omit<SshHost, 'logins'>

/** What bounds the work on a connection. */
export interface SshLimits {
  /** Aborts whatever is under way. */
  signal: AbortSignal
  /** How long reaching the host may take, and again the way from there to the login. */
  connectTimeoutMs?: number
  /** How often a silent connection is asked whether it is still there; three times in vain end it. */
  keepaliveMs?: number
}

/** What a script on a host came to. */
export interface ScriptResult {
  stdout: Buffer
  stderr: Buffer
  /** null when a signal ended it. */
  code: number | null
  /** E.g. `SIGKILL`; null when it ended by itself. */
  signal: string | null
}
