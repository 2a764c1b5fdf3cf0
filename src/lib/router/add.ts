import { requireActiveOwner } from '../api-key/owner.js'
import { lockOwner, selectOwner } from '../api-key/store.js'
import type { Transaction } from '../database/database.js'
import { ConflictError } from '../errors.js'
import { refuseFault } from '../fault.js'
import type { Secret } from '../secret.js'
import { faultOfAddress, faultOfPort, faultOfUsername } from '../ssh/address.js'
import { packIdentity } from '../ssh/identity.js'
import { pinHostKey, type Ways } from '../ssh/pin.js'
import type { HostKey, HostKeyType, Identity, JumpHost } from '../ssh/types.js'
import { agentLogin, loginOf } from '../ssh/way-in.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { digester, sealCredential } from './credential.js'
import type { JumpToPin } from './jump.js'
import { holdRouter } from './rotation/hold-router.js'
import { abandonRotation } from './rotation/store.js'
import {
  countShared,
  insertRouter,
  replaceCredential,
  selectCurrentCredentials,
  selectRouter,
  updateRouter,
  type RouterRow,
} from './store.js'
import {
  faultOfPassword,
  faultOfWifi,
  type CredentialKind,
  type RouterDriver,
  type RouterFacts,
  type RouterLogin,
} from './types.js'
import { proveLogin } from './way-in.js'

/** A router that is to be recorded. */
export interface RouterToAdd {
  installation: string
  driver: RouterDriver
  address: string
  port: number
  username: string
  /** The fingerprint that somebody vouches for, and its type; undefined: a person is asked. */
  fingerprint: string | undefined
  hostKeyType: HostKeyType | undefined
  /** First to last. */
  jumps: readonly JumpToPin[]
  /** With neither, the caller's ssh-agent opens the router. */
  password: Secret | undefined
  identity: Identity | undefined
  wifi: { ssid: string; password: Secret } | undefined
  /** The router is not contacted: neither its host key nor the credential is proven. */
  isOffline: boolean
  /** Replaces what is recorded already. */
  isReplacing: boolean
}

/** What was recorded of a router. */
export interface AddedRouter {
  installation: string
  outcome: 'added' | 'replaced' | 'unchanged'
  driver: RouterDriver
  address: string
  port: number
  username: string
  login: RouterLogin
  hostKey: HostKey
  /** Whether this run saw the credential open the router. */
  verified: boolean
  /** How many other routers have the same password or Wi-Fi passphrase. */
  sharedWith: number
}

interface NewSecret {
  kind: CredentialKind
  name: string
  secret: Secret
  digest: Buffer
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
    if (await isSame(workspace, recorded, asked, secrets))
      return result(workspace, { facts: recorded, installation, secrets, outcome: 'unchanged' })
    if (!asked.isReplacing) throw alreadyThere(installation)
  }
  return holdRouter(workspace, installation, async () => {
    const facts = await pinned(workspace, asked, ways)
    if (!asked.isOffline) await prove(workspace, facts, asked, ways)
    const outcome = await record(workspace, { asked, facts, secrets })
    const isProven = !asked.isOffline
    return result(workspace, { facts, installation, secrets, outcome, isProven })
  })
}

function requireSound({ address, port, username, password, wifi }: RouterToAdd): void {
  refuseFault(faultOfAddress(address) ?? faultOfPort(port) ?? faultOfUsername(username))
  if (password) refuseFault(faultOfPassword(password.reveal()))
  if (wifi) refuseFault(faultOfWifi(wifi.ssid, wifi.password.reveal()))
}

async function newSecrets(workspace: Workspace, asked: RouterToAdd): Promise<NewSecret[]> {
  const { username, password, identity, wifi } = asked
  const digest = await digester(workspace)
  const made = (kind: CredentialKind, name: string, secret: Secret): NewSecret[] => [
    { kind, name, secret, digest: digest(secret) },
  ]
  return [
    ...(password ? made('admin', username, password) : []),
    ...(identity ? made('identity', username, packIdentity(identity)) : []),
    ...(wifi ? made('wifi', wifi.ssid, wifi.password) : []),
  ]
}

function loginKind({ password, identity }: RouterToAdd): RouterLogin {
  if (identity) return 'identity'
  return password ? 'password' : 'agent'
}

async function isSame(
  { database }: Workspace,
  recorded: RouterRow,
  asked: RouterToAdd,
  secrets: readonly NewSecret[],
): Promise<boolean> {
  const { driver, address, port, username, hostKey, jumps, login } = recorded
  const isHere =
    driver === asked.driver &&
    address === asked.address &&
    port === asked.port &&
    username === asked.username &&
    login === loginKind(asked) &&
    isKey(hostKey, asked.fingerprint)
  const isTheWay =
    jumps.length === asked.jumps.length &&
    jumps.every((jump, index) => isJump(jump, asked.jumps[index]))
  if (!isHere || !isTheWay) return false
  const current = await selectCurrentCredentials(database, recorded.id)
  return secrets.every(({ kind, name, digest }) =>
    current.some((one) => one.kind === kind && one.name === name && one.digest.equals(digest)),
  )
}

const isKey = (key: HostKey, fingerprint: string | undefined) =>
  fingerprint === undefined || key.fingerprint === fingerprint

function isJump(jump: JumpHost, asked: JumpToPin | undefined): boolean {
  return (
    jump.address === asked?.address &&
    jump.port === asked.port &&
    jump.username === asked.username &&
    isKey(jump.hostKey, asked.fingerprint)
  )
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

async function record(
  workspace: Workspace,
  given: { asked: RouterToAdd; facts: RouterFacts; secrets: readonly NewSecret[] },
): Promise<'added' | 'replaced'> {
  const { database, clock, actor } = workspace
  const { asked, facts, secrets } = given
  const { installation } = asked
  const keyring = await workspace.keyring()
  return database.transaction(async (transaction) => {
    const owner = requireActiveOwner(await lockOwner(transaction, installation), installation)
    const recorded = await selectRouter(transaction, installation)
    if (recorded !== undefined && !asked.isReplacing) throw alreadyThere(installation)
    const at = clock.now()
    const verifiedAt = asked.isOffline ? null : at
    const routerId = recorded?.id
    if (routerId !== undefined) {
      await abandonRotation(transaction, routerId, at)
      await updateRouter(transaction, { ...facts, id: routerId, verifiedAt })
    }
    const id =
      routerId ??
      (await insertRouter(transaction, { ...facts, installationId: owner.id, at, verifiedAt }))
    const credentials = await putInForce(transaction, id, secrets, at, (secret) =>
      sealCredential(keyring, workspace.random, secret),
    )
    const outcome = recorded === undefined ? ('added' as const) : ('replaced' as const)
    await appendTrail(transaction, actor, {
      action: recorded === undefined ? 'router.add' : 'router.replace',
      subject: installation,
      details: { ...facts, verified: !asked.isOffline, credentials },
    })
    return outcome
  })
}

async function putInForce(
  transaction: Transaction,
  routerId: string,
  secrets: readonly NewSecret[],
  at: Date,
  seal: (secret: Secret) => { credentialId: string; sealed: Buffer },
): Promise<{ kind: CredentialKind; version: number }[]> {
  const current = await selectCurrentCredentials(transaction, routerId)
  const made: { kind: CredentialKind; version: number }[] = []
  for (const { kind, name, secret, digest } of secrets) {
    const former = current.find((each) => each.kind === kind)
    if (former?.name === name && former.digest.equals(digest)) continue
    const row = { routerId, kind, name, digest, at, ...seal(secret) }
    made.push({ kind, version: await replaceCredential(transaction, row) })
  }
  return made
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
      `${installation}: ${sharedWith} other routers have the same password or Wi-Fi passphrase`,
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

function alreadyThere(installation: string): ConflictError {
  return new ConflictError(
    'router-exists',
    `another router, or another credential, is recorded for ${installation}`,
    {
      suggestions: [
        `cleverctl router show ${installation}`,
        `cleverctl router add ${installation} --replace, with all its other flags`,
      ],
    },
  )
}
