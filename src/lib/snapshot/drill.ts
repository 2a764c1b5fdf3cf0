import { dirname } from 'node:path'
import { hold } from '../database/hold.js'
import { Checks, checkPages, checkStructure, judgeStart } from '../drill/checks.js'
import { findPrograms } from '../drill/programs.js'
import { placeIn, withScratch, type Scratch } from '../drill/scratch.js'
import { insertDrill } from '../drill/store.js'
import { reasonOf, resultOfChecks, type DrillCheck, type DrillResult } from '../drill/types.js'
import { ConflictError, ExpectedError, NotFoundError, UnreachableError } from '../errors.js'
import { verdictOn } from '../findings/verdict.js'
import { onHosts } from '../host/reach.js'
import { selectHosts, type HostRow } from '../host/store.js'
import { loadSigner, type Signer } from '../signing-key/signer.js'
import type { SshSession } from '../ssh/session.js'
import { appendTrail, recordInTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { copySnapshot, onSnapshotHost } from './on-host.js'
import { selectSet, type SetRow } from './store.js'
import { requireSetName, unknownSet } from './types.js'

/** What the drill of one snapshot of a set came to. */
export interface DrilledMember {
  host: string
  result: DrillResult
  /** Whether a server was started from it that came to the end of its recovery. */
  recovered: boolean
  /** How old the snapshot was when the drill began. */
  rpoSeconds: number | null
  /** Copy and recovery, until the server could have been used. */
  rtoSeconds: number | null
  checks: DrillCheck[]
  /** Why nothing could be looked at; null otherwise. */
  reason: string | null
}

/** What the drill of a set came to. */
export interface SnapshotDrill {
  set: string
  stanza: string
  begunAt: string
  result: DrillResult
  members: DrilledMember[]
}

/** What to drill. */
export interface SnapshotDrillQuestion {
  environment: NodeJS.ProcessEnv
  set: string
  /** Undefined: every host that has one. */
  hosts: readonly string[] | undefined
  /** Where there is room on the hosts; undefined: beside the data directory. */
  directory: string | undefined
}

const MS = 1000

/**
 * Starts a server from a copy of each snapshot of a set, on the host that made it, which nobody else can reach; looks
 * at what it holds and throws it away. The result is signed and goes into the trail.
 * @throws FindingsError when a check fails, else IncompleteError when one could not be carried out; the drill is their
 *   result. NotFoundError without such a set or snapshot, ConflictError when one is under way
 */
export async function drillSnapshots(
  workspace: Workspace,
  asked: SnapshotDrillQuestion,
): Promise<SnapshotDrill> {
  const { database } = workspace
  requireSetName(asked.set)
  const set = await selectSet(database, asked.set)
  if (set === undefined) throw unknownSet(asked.set)
  const hosts = await hostsOf(workspace, set, asked.hosts)
  // Before anything else: what cannot be signed is not begun.
  const signer = await loadSigner(workspace)
  const taken = new ConflictError('drill-running', `a drill of snapshots is under way`, {
    suggestions: ['wait for it: cleverctl trail list --action snapshot.drill'],
  })
  return hold(database, `snapshot-drill:${set.stanza}`, taken, async () => {
    const begunAt = workspace.clock.now()
    await record(workspace, set, 'intent', { hosts: hosts.map(({ name }) => name) })
    const reached = await onHosts(workspace, hosts, asked.environment, (session, host) =>
      drillOne(workspace, session, { set, host, begunAt, asked }),
    )
    const members = reached.map(({ host, result }) =>
      result instanceof ExpectedError ? notDrilled(host, result) : result,
    )
    const drill = { set: set.set, stanza: set.stanza, begunAt: begunAt.toISOString() }
    const all = members.map(({ result }) => result)
    const result = all.find((each) => each === 'failed') ?? all.find((each) => each !== 'proven')
    const found: SnapshotDrill = { ...drill, result: result ?? 'proven', members }
    await recordDrill(workspace, signer, found)
    const isAway = reached.some((each) => each.result instanceof UnreachableError)
    return verdict(found, isAway)
  })
}

async function hostsOf(
  { database }: Workspace,
  set: SetRow,
  wanted: readonly string[] | undefined,
): Promise<HostRow[]> {
  const there = new Set(
    set.members.filter(({ state }) => state === 'taken').map(({ hostId }) => hostId),
  )
  const all = (await selectHosts(database, 'database')).filter(({ id }) => there.has(id))
  const hosts = wanted === undefined ? all : all.filter(({ name }) => wanted.includes(name))
  const missing = wanted?.find((name) => !hosts.some((host) => host.name === name))
  if (missing === undefined && hosts.length > 0) return hosts
  const whose = missing === undefined ? 'no snapshot' : `no snapshot of ${missing}`
  throw new NotFoundError('snapshot-not-there', `${set.set} has ${whose}`, {
    suggestions: ['cleverctl snapshot list'],
  })
}

async function drillOne(
  workspace: Workspace,
  session: SshSession,
  given: { set: SetRow; host: HostRow; begunAt: Date; asked: SnapshotDrillQuestion },
): Promise<DrilledMember> {
  const { set, host, begunAt, asked } = given
  const dataDirectory = host.postgresql?.dataDirectory ?? '/'
  const place = placeIn(asked.directory ?? dirname(dataDirectory), `snapshot-${set.stanza}`)
  const checks = new Checks(workspace.log, `${host.name}: `)
  const recovered = await withScratch(session, workspace.random, place, async (scratch) => {
    const copied = await checks.look('copy', async () => {
      await onSnapshotHost(workspace, host, asked.environment, (root) =>
        copySnapshot(root, host, set.set, `${place}/data`),
      )
      return { state: 'ok', message: 'the snapshot was copied' }
    })
    const programs = await findPrograms(session, await versionOf(scratch))
    const begun = await checks.look('recovery', async () => {
      const words = await scratch.start({ programs, wanted: 'promoted', settings: {} })
      return judgeStart(words, 'PostgreSQL started and recovered')
    })
    if (begun.state !== 'ok') return undefined
    await checks.look('structure', () => checkStructure(scratch, programs))
    await scratch.stop()
    await checks.look('pages', () => checkPages(scratch, programs))
    return copied.durationMs + begun.durationMs
  })
  const takenAt = set.members.find(({ hostId }) => hostId === host.id)?.takenAt ?? null
  return {
    host: host.name,
    result: resultOfChecks(checks.done),
    recovered: recovered !== undefined,
    rpoSeconds:
      takenAt === null ? null : Math.max(0, (begunAt.getTime() - Date.parse(takenAt)) / MS),
    rtoSeconds: recovered === undefined ? null : recovered / MS,
    checks: checks.done,
    reason: null,
  }
}

async function versionOf(scratch: Scratch): Promise<string> {
  const { stdout } = await scratch.run(['cat', `${scratch.place}/data/PG_VERSION`])
  return stdout.toString('utf8').trim()
}

function notDrilled({ name }: HostRow, { message }: ExpectedError): DrilledMember {
  return {
    ...{ host: name, result: 'not-checked', recovered: false, rpoSeconds: null },
    ...{ rtoSeconds: null, checks: [], reason: message },
  }
}

async function record(
  workspace: Workspace,
  { set }: SetRow,
  phase: 'intent' | 'outcome',
  details: Record<string, unknown>,
): Promise<void> {
  await recordInTrail(workspace, { phase, action: 'snapshot.drill', subject: set, details })
}

async function recordDrill(
  { database, actor, clock }: Workspace,
  signer: Signer,
  drill: SnapshotDrill,
): Promise<void> {
  const endedAt = clock.now()
  const statement = { iss: 'cleverctl', iat: Math.floor(endedAt.getTime() / MS), drill }
  const evidence = signer.attest(statement)
  const { set: subject, stanza } = drill
  await database.transaction(async (transaction) => {
    const begunAt = new Date(drill.begunAt)
    for (const { host, result } of drill.members)
      await insertDrill(transaction, {
        ...{ kind: 'snapshot', stanza, host, subject, result, begunAt, endedAt },
      })
    await appendTrail(transaction, actor, {
      phase: 'outcome',
      action: 'snapshot.drill',
      subject,
      details: { ...drill, evidence },
    })
  })
}

function verdict(drill: SnapshotDrill, isOutOfReach: boolean): SnapshotDrill {
  const { set, members, result } = drill
  const bad = members.find((member) => member.result === result)
  const why = bad?.reason ?? reasonOf(bad?.checks ?? [], result)
  const words = `${set} is not proven: ${bad?.host}: ${why}`
  return verdictOn(drill, {
    found: result === 'failed' && { code: 'drill-failed', words },
    unchecked: result === 'not-checked' && { words, isOutOfReach },
  })
}
