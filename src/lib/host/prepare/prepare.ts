import { lookup } from 'node:dns/promises'
import { ConflictError, ExpectedError, FailureError } from '../../errors.js'
import type { SshSession } from '../../ssh/session.js'
import type { Identity, SshLogin } from '../../ssh/types.js'
import { identityFingerprint, publicKeyOf } from '../../ssh/identity.js'
import { recordInTrail } from '../../trail/append.js'
import type { Workspace } from '../../workspace.js'
import { runAsRoot, type Administrator } from '../administrator.js'
import { onHosts } from '../reach.js'
import { lastWords } from '../say.js'
import { selectHost, selectHosts, type HostRow } from '../store.js'
import { unknownHost } from '../types.js'
import { recordedLogin } from '../way-in.js'
import { preparationScript, type Peer } from './script.js'

/** What came of a step on the host. */
export interface PreparedStep {
  /** `todo`: a person has to do it. */
  outcome: 'changed' | 'unchanged' | 'todo'
  what: string
}

/** How a host was prepared, or how it is to be. */
export interface PreparedHost {
  name: string
  outcome: 'printed' | 'installed' | 'unchanged'
  /** What was done; empty where it was printed. */
  steps: PreparedStep[]
  /** To be run as root on the host. */
  script: string
}

/** What to do with the script. */
export interface PrepareQuestion {
  name: string
  environment: NodeJS.ProcessEnv
  /** Somebody who is root there, or becomes root by sudo; undefined: the script is printed. */
  administrator: Administrator | undefined
}

/**
 * Gives a host what it needs for snapshots and backups with the least power: the forced command for snapshots, and
 * for pgBackRest of the other machines keys that are good for its remote side alone; a backup machine of pg_basebackup
 * gets the service that receives WAL.
 * @throws NotFoundError, ConflictError when the key that is to make snapshots cannot be told or opens root already,
 *   RefusedError when the administrator is not root, and what `onHost` throws of any of the machines
 */
export async function prepareHost(
  workspace: Workspace,
  asked: PrepareQuestion,
): Promise<PreparedHost> {
  const { name, environment, administrator } = asked
  const host = await selectHost(workspace.database, name)
  if (host === undefined) throw unknownHost(name)
  const login =
    host.snapshot === null ? undefined : await recordedLogin(workspace, host, environment)
  const publicKey = login && (await snapshotKey(host, login))
  if (administrator?.identity !== undefined && login?.kind === 'identity')
    await requireAnother(host, administrator.identity, login.identity)
  const peers = await askPeers(workspace, host, environment)
  const all = await selectHosts(workspace.database, 'database')
  const databases = all.filter(({ stanza }) => stanza === host.stanza)
  const script = await preparationScript({ host, publicKey, peers, databases })
  if (administrator === undefined) return { name, outcome: 'printed', steps: [], script }
  await record(workspace, 'intent', name, { username: administrator.username })
  const steps = await install(workspace, host, { script, administrator, environment })
  await record(workspace, 'outcome', name, { steps })
  const outcome = steps.some((step) => step.outcome === 'changed') ? 'installed' : 'unchanged'
  return { name, outcome, steps, script }
}

async function snapshotKey({ name }: HostRow, login: SshLogin): Promise<string> {
  if (login.kind === 'identity') return publicKeyOf(login.identity)
  throw new ConflictError('no-identity', `${name} is opened by your ssh-agent`, {
    suggestions: [
      `cleverctl host add ${name} --replace --identity FILE, with its other flags: that key will make snapshots`,
    ],
  })
}

/** The key that makes snapshots must open nothing more. */
async function requireAnother({ name }: HostRow, one: Identity, other: Identity): Promise<void> {
  if ((await identityFingerprint(one)) !== (await identityFingerprint(other))) return
  throw new ConflictError('same-identity', `this key is the recorded one of ${name}`, {
    suggestions: [
      '--identity FILE with a key of an administrator',
      'no --identity: your ssh-agent',
    ],
  })
}

/** The machines whose pgBackRest comes to this one. */
async function askPeers(
  workspace: Workspace,
  host: HostRow,
  environment: NodeJS.ProcessEnv,
): Promise<Peer[]> {
  const role = host.role === 'backup' ? 'database' : 'backup'
  const others = await selectHosts(workspace.database, role)
  const isPeer = ({ stanza, basebackup }: HostRow) => stanza === host.stanza && basebackup === null
  // pg_basebackup comes by PostgreSQL's own port.
  const peers = host.basebackup ? [] : others.filter(isPeer)
  const reached = await onHosts(workspace, peers, environment, publicKeyOn)
  const found: Peer[] = []
  for (const { host: peer, result } of reached) {
    if (result instanceof ExpectedError) throw result
    if (result !== undefined)
      found.push({ name: peer.name, publicKey: result, addresses: await addressesOf(peer) })
    else workspace.log.warn(`${peer.name} has no SSH key of its own: its pgBackRest cannot come in`)
  }
  return found
}

/** The public key by which the user of a host logs in elsewhere; undefined where there is none. */
async function publicKeyOn(session: SshSession, { name }: HostRow): Promise<string | undefined> {
  const script = `for kind in ed25519 ecdsa rsa; do
      [ ! -e ~/.ssh/id_$kind ] || exec ssh-keygen -y -P '' -f ~/.ssh/id_$kind
    done`
  const result = await session.run(script)
  const line = result.stdout.toString('utf8').trim()
  if (result.code === 0 && line === '') return undefined
  const [key] = /^(?:ssh|ecdsa)-[a-z0-9-]+ [A-Za-z0-9+/]+={0,2}(?= |$)/.exec(line) ?? []
  if (result.code === 0 && key !== undefined) return key
  throw new FailureError('no-public-key', `${name}: ${lastWords(result)}`)
}

async function addressesOf({ name, address }: HostRow): Promise<string[]> {
  const found = await lookup(address, { all: true }).catch((cause: unknown) => {
    throw new FailureError('unknown-address', `${name}: nobody knows the address of ${address}`, {
      cause,
    })
  })
  return [...new Set(found.map((each) => each.address))]
}

const UNLIMITED_KEY = 73

async function install(
  workspace: Workspace,
  host: HostRow,
  given: { script: string; administrator: Administrator; environment: NodeJS.ProcessEnv },
): Promise<PreparedStep[]> {
  const { username } = given.administrator
  const suggestion = `cleverctl host prepare ${host.name} | ssh ${username}@HOST sudo sh`
  const result = await runAsRoot(workspace, host, { ...given, suggestion })
  if (result.code === 0) return readSteps(result.stdout.toString('utf8'))
  const words = lastWords({ ...result, stdout: Buffer.alloc(0) })
  if (result.code === UNLIMITED_KEY)
    throw new ConflictError('key-without-limits', `${host.name}: ${words}`)
  throw new FailureError('prepare-failed', `${host.name}: ${words}`)
}

function readSteps(text: string): PreparedStep[] {
  return text.split('\n').flatMap((line) => {
    const [, outcome, what] = /^(changed|unchanged|todo) (.+)$/.exec(line) ?? []
    if (outcome === undefined || what === undefined) return []
    return [{ outcome: outcome as PreparedStep['outcome'], what }]
  })
}

async function record(
  workspace: Workspace,
  phase: 'intent' | 'outcome',
  subject: string,
  details: Record<string, unknown>,
): Promise<void> {
  await recordInTrail(workspace, { phase, action: 'host.prepare', subject, details })
}
