import { pinHostKey, type Ways } from '../ssh/pin.js'
import type { HostKey, HostKeyType } from '../ssh/types.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { lockRouter } from './find.js'
import { selectCurrentCredentials, selectRouter, updateHostKey } from './store.js'
import { unknownRouter } from './types.js'
import { proveLogin, recordedLogin } from './way-in.js'

/** A router with the host key by which it is known from now on. */
export interface RekeyedRouter {
  installation: string
  outcome: 'rekeyed' | 'unchanged'
  former: HostKey
  hostKey: HostKey
  /** Whether this run saw the recorded credential open the router under the new key. */
  verified: boolean
}

/**
 * Pins another host key, for a router whose key was changed on purpose. The recorded credential must
 * open the router that holds it.
 * @param asked.fingerprint the new one that somebody vouches for; undefined: a person is asked
 * @param asked.isOffline the router is not contacted, and nothing is proven
 * @throws NotFoundError, and what `pinHostKey` and `proveLogin` throw
 */
export async function rekeyRouter(
  workspace: Workspace,
  asked: {
    installation: string
    fingerprint: string | undefined
    hostKeyType: HostKeyType | undefined
    isOffline: boolean
  },
  ways: Ways,
): Promise<RekeyedRouter> {
  const { database, actor, clock } = workspace
  const { installation, fingerprint, hostKeyType: type, isOffline } = asked
  const router = await selectRouter(database, installation)
  if (router === undefined) throw unknownRouter(installation)
  const { address, port, hostKey: former } = router
  const host = { address, port, fingerprint, type }
  const approve: Ways['approve'] = async (where, seen) => {
    if (seen.fingerprint !== former.fingerprint) await ways.approve(where, seen)
  }
  const how = { ...ways, approve, isOffline }
  const hostKey = await pinHostKey(workspace, host, router.jumps, how)
  const verified = !isOffline
  if (verified) {
    const credentials = await selectCurrentCredentials(database, router.id)
    const login = await recordedLogin(workspace, router, credentials, ways)
    await proveLogin(workspace, { ...router, hostKey }, login, ways)
  }
  const isSame = former.type === hostKey.type && former.fingerprint === hostKey.fingerprint
  if (isSame) return { installation, outcome: 'unchanged', former, hostKey, verified }
  return database.transaction(async (transaction) => {
    const { id } = await lockRouter(transaction, installation)
    const verifiedAt = verified ? clock.now() : router.verifiedAt
    await updateHostKey(transaction, { id, hostKey, verifiedAt })
    await appendTrail(transaction, actor, {
      action: 'router.rekey',
      subject: installation,
      details: { former, hostKey, verified },
    })
    return { installation, outcome: 'rekeyed', former, hostKey, verified }
  })
}
