import { ConflictError, UsageError } from '../errors.js'
import { isHostKeyType, type SeenHostKey } from './host-key.js'
import { seeHostKey } from './session.js'
import type { HostKey, HostKeyType, JumpHost, SshAddress } from './types.js'
import { jumpHosts } from './way-in.js'

/** Asks a person whether a host key is the right one; throws where nobody may be asked, or on a no. */
export type ApproveHostKey = (host: SshAddress, seen: HostKey) => Promise<void>

/** What the caller brings along to get to hosts by SSH. */
export interface Ways {
  environment: NodeJS.ProcessEnv
  approve: ApproveHostKey
}

/** A host whose key is to be pinned. */
export interface HostToPin extends SshAddress {
  /** The fingerprint that somebody vouches for; undefined: a person is asked. */
  fingerprint: string | undefined
  /** The type that was named beside it. */
  type: HostKeyType | undefined
}

/** The type that is written down when a host is not contacted and none was named: what most hosts have. */
const USUAL_TYPE: HostKeyType = 'ssh-ed25519'

/**
 * The key by which a host will be known. It is looked at, and must be the one with the given fingerprint;
 * without one a person says whether it is right.
 * @param isOffline the host is not contacted, so the fingerprint must be given
 * @throws ConflictError when the host shows another key, UsageError when a fingerprint is missing
 */
export async function pinHostKey(
  { signal }: { signal: AbortSignal },
  host: HostToPin,
  jumps: readonly JumpHost[],
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
    { suggestions: ['compare it with ssh-keygen -l on that machine; nothing was sent to it'] },
  )
}
