import { pinHostKey, type Ways } from '../ssh/pin.js'
import type { HostKey, HostKeyType } from '../ssh/types.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { lockHost, selectHost, updateHostKey } from './store.js'
import { unknownHost } from './types.js'
import { proveHostLogin, recordedLogin } from './way-in.js'

/** A host with the host key by which it is known from now on. */
export interface RekeyedHost {
  name: string
  outcome: 'rekeyed' | 'unchanged'
  former: HostKey
  hostKey: HostKey
  /** Whether this run saw the recorded login work under the new key. */
  verified: boolean
}

/**
 * Pins another host key, for a host whose key was changed on purpose. The recorded login must work there.
 * @param asked.fingerprint the new one that somebody vouches for; undefined: a person is asked
 * @param asked.isOffline the host is not contacted, and nothing is proven
 * @throws NotFoundError, and what `pinHostKey` and `proveHostLogin` throw
 */
export async function rekeyHost(
  workspace: Workspace,
  asked: {
    name: string
    fingerprint: string | undefined
    hostKeyType: HostKeyType | undefined
    isOffline: boolean
  },
  ways: Ways,
): Promise<RekeyedHost> {
  const { database, actor, clock } = workspace
  const { name, fingerprint, hostKeyType: type, isOffline } = asked
  const host = await selectHost(database, name)
  if (host === undefined) throw unknownHost(name)
  const { address, port, hostKey: former } = host
  const place = { address, port, fingerprint, type }
  const hostKey = await pinHostKey(workspace, place, [], { ...ways, isOffline })
  const verified = !isOffline
  if (verified) {
    const login = await recordedLogin(workspace, host, ways.environment)
    await proveHostLogin(workspace, { ...host, hostKey }, login)
  }
  const isSame = former.type === hostKey.type && former.fingerprint === hostKey.fingerprint
  if (isSame) return { name, outcome: 'unchanged', former, hostKey, verified }
  return database.transaction(async (transaction) => {
    const locked = await lockHost(transaction, name)
    if (locked === undefined) throw unknownHost(name)
    const verifiedAt = verified ? clock.now() : locked.verifiedAt
    await updateHostKey(transaction, { id: locked.id, hostKey, verifiedAt })
    await appendTrail(transaction, actor, {
      action: 'host.rekey',
      subject: name,
      details: { former, hostKey, verified },
    })
    return { name, outcome: 'rekeyed', former, hostKey, verified }
  })
}
