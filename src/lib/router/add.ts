import { requireActiveOwner } from '../api-key/owner.js'
import { selectOwner } from '../api-key/store.js'
import { counted } from '../counted.js'
import { packIdentity } from '../ssh/identity.js'
import { pinHostKey, type Ways } from '../ssh/pin.js'
import type { JumpHost } from '../ssh/types.js'
import { agentLogin, loginOf } from '../ssh/way-in.js'
import type { Workspace } from '../workspace.js'
import { recordRouter } from './record.js'
import { holdRouter } from './rotation/hold-router.js'
import { isRecorded } from './same.js'
import { countShared, selectRouter } from './store.js'
import {
  alreadyThere,
  loginKind,
  newSecrets,
  requireSound,
  type NewSecret,
  type RouterToAdd,
} from './to-add.js'
import type { RouterFacts } from './types.js'
import { proveLogin } from './way-in.js'

/** What was recorded of a router. */
export interface AddedRouter extends Omit<RouterFacts, 'jumps'> {
  installation: string
  outcome: 'added' | 'replaced' | 'unchanged'
  /** Whether this run saw the credential open the router. */
  verified: boolean
  /** How many other routers have the same password or Wi-Fi passphrase. */
  sharedWith: number
}

/**
 * Records a router and the credential that opens it, after it was seen to open it. The same again
 * changes nothing.
 * @throws UsageError for bad input, NotFoundError for an unknown installation, ConflictError for a
 *   retired one, for another router there, and for a host key that is not the given one
 * @throws RefusedError when the router refuses the credential, UnreachableError when it is out of reach
 */
export async function addRouter(
  workspace: Workspace,
  asked: RouterToAdd,
  ways: Ways,
): Promise<AddedRouter> {
  requireSound(asked)
  const { database } = workspace
  const { installation } = asked
  requireActiveOwner(await selectOwner(database, installation), installation)
  const secrets = await newSecrets(workspace, asked)
  const recorded = await selectRouter(database, installation)
  if (recorded !== undefined) {
    if (await isRecorded(workspace, recorded, asked, secrets))
      return result(workspace, { facts: recorded, installation, secrets, outcome: 'unchanged' })
    if (!asked.isReplacing) throw alreadyThere(installation)
  }
  return holdRouter(workspace, installation, async () => {
    const facts = await pinned(workspace, asked, ways)
    if (!asked.isOffline) await prove(workspace, facts, asked, ways)
    const outcome = await recordRouter(workspace, { asked, facts, secrets })
    const isProven = !asked.isOffline
    return result(workspace, { facts, installation, secrets, outcome, isProven })
  })
}

async function pinned(workspace: Workspace, asked: RouterToAdd, ways: Ways): Promise<RouterFacts> {
  const { driver, address, port, username, isOffline } = asked
  const how = { ...ways, isOffline }
  const jumps: JumpHost[] = []
  for (const jump of asked.jumps) {
    const hostKey = await pinHostKey(workspace, jump, jumps, how)
    jumps.push({ address: jump.address, port: jump.port, username: jump.username, hostKey })
  }
  const host = { address, port, fingerprint: asked.fingerprint, type: asked.hostKeyType }
  const hostKey = await pinHostKey(workspace, host, jumps, how)
  return { driver, address, port, username, login: loginKind(asked), hostKey, jumps }
}

/** Each credential that opens the router by SSH is tried, so that none is recorded that does not. */
async function prove(
  workspace: Workspace,
  facts: RouterFacts,
  { password, identity }: RouterToAdd,
  ways: Ways,
): Promise<void> {
  const logins = [
    ...(identity ? [loginOf('identity', packIdentity(identity))] : []),
    ...(password ? [loginOf('password', password)] : []),
    ...(identity || password ? [] : [agentLogin(ways.environment)]),
  ]
  for (const login of logins) await proveLogin(workspace, facts, login, ways)
}

async function result(
  { database, log }: Workspace,
  given: {
    facts: RouterFacts
    installation: string
    secrets: readonly NewSecret[]
    outcome: AddedRouter['outcome']
    isProven?: boolean
  },
): Promise<AddedRouter> {
  const { facts, installation, outcome, isProven = false } = given
  const { driver, address, port, username, login, hostKey } = facts
  const digests = given.secrets.map(({ digest }) => digest)
  const sharedWith = await countShared(database, { installation, digests })
  if (sharedWith > 0)
    log.warn(
      `${installation}: ${counted(sharedWith, 'other router')} with the same password or Wi-Fi passphrase`,
    )
  if (!isProven && outcome !== 'unchanged')
    log.warn(`${installation}: nobody has seen yet that the credential opens the router`)
  return {
    installation,
    outcome,
    driver,
    address,
    port,
    username,
    login,
    hostKey,
    verified: isProven,
    sharedWith,
  }
}
