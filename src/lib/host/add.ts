import { ConflictError } from '../errors.js'
import { identityFingerprint, packIdentity } from '../ssh/identity.js'
import { pinHostKey, type Ways } from '../ssh/pin.js'
import type { HostKeyType, Identity } from '../ssh/types.js'
import { agentLogin, loginOf } from '../ssh/way-in.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { insertHost, lockHost, selectHost, updateHost, type HostRow } from './store.js'
import { requireSoundFacts, type HostFacts } from './types.js'
import { proveHostLogin, sealIdentity } from './way-in.js'

/** A host that is to be recorded. */
export interface HostToAdd extends Omit<HostFacts, 'hostKey'> {
  /** The fingerprint that somebody vouches for, and its type; undefined: a person is asked. */
  fingerprint: string | undefined
  hostKeyType: HostKeyType | undefined
  /** Without one the caller's ssh-agent opens the host. */
  identity: Identity | undefined
  /** The host is not contacted: neither its host key nor the login is proven. */
  isOffline: boolean
  /** Replaces what is recorded already. */
  isReplacing: boolean
}

/** What was recorded of a host. */
export interface AddedHost extends HostFacts {
  outcome: 'added' | 'replaced' | 'unchanged'
  /** `SHA256:…` of the public key whose private one opens it; null: the ssh-agent has it. */
  identity: string | null
  /** Whether this run saw the login work. */
  verified: boolean
}

/**
 * Records a host of the database estate, after its login was seen to work. The same again changes nothing.
 * @throws UsageError for bad input, ConflictError for another host of that name and for a host key that
 *   is not the given one, RefusedError when the host refuses the login, UnreachableError
 */
export async function addHost(
  workspace: Workspace,
  asked: HostToAdd,
  ways: Ways,
): Promise<AddedHost> {
  requireSoundFacts(asked)
  const { database, log } = workspace
  const fingerprint = asked.identity ? await identityFingerprint(asked.identity) : null
  const recorded = await selectHost(database, asked.name)
  if (recorded !== undefined) {
    if (isSame(recorded, asked, fingerprint)) return result(recorded, 'unchanged', false)
    if (!asked.isReplacing) throw alreadyThere(asked.name)
  }
  const facts = await pinned(workspace, asked, ways)
  if (!asked.isOffline) await proveHostLogin(workspace, facts, loginFor(asked, ways))
  const outcome = await record(workspace, asked, facts)
  if (asked.isOffline) log.warn(`${asked.name}: nobody has seen yet that the login works`)
  return result({ ...facts, identity: fingerprint }, outcome, !asked.isOffline)
}

function isSame(recorded: HostRow, asked: HostToAdd, identity: string | null): boolean {
  const { hostKey, id, addedAt, verifiedAt, ...former } = recorded
  const wanted = { ...factsOf(asked), identity }
  const names = Object.keys(wanted) as (keyof typeof wanted)[]
  const isKey = asked.fingerprint === undefined || asked.fingerprint === hostKey.fingerprint
  return isKey && names.every((name) => canonical(former[name]) === canonical(wanted[name]))
}

/** PostgreSQL gives an object's fields in an order of its own. */
function canonical(value: unknown): string {
  const isObject = typeof value === 'object' && value !== null
  return JSON.stringify(isObject ? Object.entries(value).sort() : value)
}

function factsOf(asked: HostToAdd): Omit<HostFacts, 'hostKey'> {
  const { name, role, address, port, username, location } = asked
  const { stanza, postgresql, snapshot, basebackup } = asked
  const place = { name, role, address, port, username, location }
  return { ...place, stanza, postgresql, snapshot, basebackup }
}

async function pinned(workspace: Workspace, asked: HostToAdd, ways: Ways): Promise<HostFacts> {
  const { address, port, fingerprint, hostKeyType: type, isOffline } = asked
  const host = { address, port, fingerprint, type }
  const hostKey = await pinHostKey(workspace, host, [], { ...ways, isOffline })
  return { ...factsOf(asked), hostKey }
}

function loginFor({ identity }: HostToAdd, { environment }: Ways) {
  return identity ? loginOf('identity', packIdentity(identity)) : agentLogin(environment)
}

async function record(
  workspace: Workspace,
  asked: HostToAdd,
  facts: HostFacts,
): Promise<'added' | 'replaced'> {
  const { database, actor, clock, random } = workspace
  const identity =
    asked.identity && (await sealIdentity(await workspace.keyring(), random, asked.identity))
  return database.transaction(async (transaction) => {
    const recorded = await lockHost(transaction, asked.name)
    if (recorded !== undefined && !asked.isReplacing) throw alreadyThere(asked.name)
    const at = clock.now()
    const row = { ...facts, identity, verifiedAt: asked.isOffline ? null : at }
    if (recorded !== undefined) await updateHost(transaction, recorded.id, row)
    else if (!(await insertHost(transaction, row, at))) throw alreadyThere(asked.name)
    await appendTrail(transaction, actor, {
      action: recorded === undefined ? 'host.add' : 'host.replace',
      subject: asked.name,
      details: { ...facts, identity: identity?.fingerprint ?? null, verified: !asked.isOffline },
    })
    return recorded === undefined ? 'added' : 'replaced'
  })
}

function result(
  host: HostFacts & { identity: string | null },
  outcome: AddedHost['outcome'],
  verified: boolean,
): AddedHost {
  const { name, role, address, port, username, hostKey, location } = host
  const { stanza, postgresql, snapshot, basebackup, identity } = host
  const facts = { name, outcome, role, address, port, username, hostKey, location }
  return { ...facts, stanza, postgresql, snapshot, basebackup, identity, verified }
}

function alreadyThere(name: string): ConflictError {
  return new ConflictError('host-exists', `${name} is recorded with other facts`, {
    suggestions: [
      `cleverctl host show ${name}`,
      `cleverctl host add ${name} --replace, with all its other flags`,
    ],
  })
}
