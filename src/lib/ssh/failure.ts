import {
  ConflictError,
  type ExpectedError,
  FailureError,
  RefusedError,
  UnreachableError,
} from '../errors.js'
import type { SeenHostKey } from './host-key.js'
import type { SshAddress } from './types.js'

/** How far a connection had come when it failed. */
export interface Progress {
  /** The key that was shown and is not the pinned one. */
  deniedKey?: SeenHostKey
  /** The host proved that it holds the pinned key. */
  isHostProven: boolean
  /** The other side has spoken SSH. */
  hasSpoken: boolean
}

/** The levels of ssh2's errors (its README), and the code of the system where there is one. */
interface DriverError extends Error {
  level?: string
  code?: string
}

/** A host as messages name it. */
export function nameOf({ address, port }: SshAddress): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/**
 * What to tell of a connection that failed. A changed host key (exit 6), a refused credential (4) and
 * a machine out of reach (7) are never mistaken for each other.
 * @param host the host that was meant, with its pinned key where it has one
 */
export function connectionFailure(
  error: unknown,
  host: SshAddress & { username?: string; hostKey?: SeenHostKey | undefined },
  progress: Progress,
): ExpectedError {
  const { level, code } = error instanceof Error ? (error as DriverError) : {}
  const name = nameOf(host)
  if (progress.deniedKey) return hostKeyChanged(host, progress.deniedKey)
  if (level === 'client-authentication' || level === 'agent')
    return new RefusedError(
      'ssh-login-refused',
      `${name} refused the login of ${host.username ?? 'nobody'}`,
      { suggestions: ['check user name and credential; nothing more is tried, so nothing locks'] },
    )
  if (level === 'client-timeout') return timedOut(host)
  if (!progress.hasSpoken && (level === 'protocol' || code === 'ECONNRESET'))
    return new UnreachableError('ssh-closed', `${name} closed the connection without a word`, {
      suggestions: [
        'too many connections that are not logged in may be open from this address: try again later',
      ],
    })
  // A server without an algorithm in common tells us so, or just hangs up, as dropbear does.
  const hungUp = error === undefined || level === 'protocol'
  if (!progress.isHostProven && (level === 'handshake' || hungUp))
    return new FailureError(
      'ssh-no-agreement',
      `${name} and cleverctl found no common way to speak SSH`,
      { suggestions: ['update the firmware of the host'] },
    )
  if (level === 'client-socket' || level === 'client-dns' || code !== undefined)
    return unreachable(host, code)
  return new UnreachableError('ssh-lost', `the connection to ${name} was lost`)
}

/** The error for a host that shows another key than the pinned one. No credential was offered to it. */
export function hostKeyChanged(
  host: SshAddress & { hostKey?: SeenHostKey | undefined },
  seen: SeenHostKey,
): ConflictError {
  const pinned = host.hostKey ? `${host.hostKey.type} ${host.hostKey.fingerprint}` : 'another one'
  return new ConflictError(
    'host-key-changed',
    `${nameOf(host)} shows the host key ${seen.type} ${seen.fingerprint}, pinned is ${pinned}`,
    { suggestions: ['find out why before you trust it; nothing was sent to it'] },
  )
}

/** The error for a host that did not answer in time. */
export function timedOut(host: SshAddress): UnreachableError {
  return new UnreachableError('ssh-timeout', `${nameOf(host)} did not answer in time`)
}

/** The error for a host that cannot be reached. @param code the system's, e.g. `ECONNREFUSED` */
export function unreachable(host: SshAddress, code: string | undefined): UnreachableError {
  const reason = code === undefined ? '' : ` (${code})`
  return new UnreachableError('ssh-unreachable', `cannot reach ${nameOf(host)}${reason}`)
}
