import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { askPostgresql, offsetOf } from '../../cluster/ask.js'
import { counted } from '../../counted.js'
import {
  ConflictError,
  ExitCode,
  ExpectedError,
  FailureError,
  FindingsError,
  NotFoundError,
  RefusedError,
  UnreachableError,
} from '../../errors.js'
import { verdictOn } from '../../findings/verdict.js'
import { packagedFile } from '../../packaged-file.js'
import { askAbout, checkPlace, listSnapshots, onSnapshotHosts } from '../../snapshot/on-host.js'
import { selectSets } from '../../snapshot/store.js'
import type { SshSession } from '../../ssh/session.js'
import type { Workspace } from '../../workspace.js'
import { snapshotProgram, snapshotWords } from '../prepare/script.js'
import { onHosts } from '../reach.js'
import { selectHosts, type HostRow } from '../store.js'
import { unknownHost, type HostRole } from '../types.js'
import { lookAtEngine } from './basebackup.js'
import {
  judgeHost,
  judgeVersions,
  type HostCheck,
  type SeenOnHost,
  type SeenSnapshots,
} from './judge.js'

/** What was found of a host. */
export interface CheckedHost {
  name: string
  role: HostRole
  checks: HostCheck[]
}

/** What was found of all hosts. */
export interface CheckedHosts {
  checkedAt: string
  hosts: CheckedHost[]
}

/** pgBackRest waits a minute for WAL that does not arrive. */
const LONGEST_MS = 180_000

/**
 * Looks whether hosts have and allow what cleverctl needs; changes nothing there, but that pgBackRest's own check
 * begins a new segment of WAL on the primary.
 * @param asked.names empty: all hosts
 * @throws NotFoundError; FindingsError when something is wrong, with exit code 6 when a host shows another key than the
 *   pinned one; else IncompleteError when something could not be looked at. The result is theirs
 */
export async function checkHosts(
  workspace: Workspace,
  asked: { names: readonly string[]; environment: NodeJS.ProcessEnv },
): Promise<CheckedHosts> {
  const { names, environment } = asked
  const all = await selectHosts(workspace.database, undefined)
  const hosts = chosen(all, names)
  const [seen, snapshots] = await Promise.all([
    onHosts(workspace, hosts, environment, (session, host) => look(session, host, all)),
    lookAtSnapshots(workspace, hosts, environment),
  ])
  const versions = new Map<string, string>()
  const checked = seen.map(({ host, result }): CheckedHost => {
    const { name, role } = host
    if (result instanceof ExpectedError) return { name, role, checks: [notLetIn(host, result)] }
    const version = result.looks.get('pgbackrest') ?? ''
    if (version !== '' && result.engine === undefined) versions.set(name, version)
    return { name, role, checks: judgeHost(host, { ...result, snapshots: snapshots.get(host.id) }) }
  })
  const others = judgeVersions(versions)
  for (const host of checked) {
    const other = others.get(host.name)
    if (other) host.checks.push(other)
  }
  const result = { checkedAt: workspace.clock.now().toISOString(), hosts: checked }
  return verdict(
    result,
    seen.map((each) => each.result),
  )
}

function chosen(all: readonly HostRow[], names: readonly string[]): readonly HostRow[] {
  const missing = names.find((name) => !all.some((host) => host.name === name))
  if (missing !== undefined) throw unknownHost(missing)
  if (all.length === 0)
    throw new NotFoundError('no-hosts', 'no host is recorded', {
      suggestions: ['cleverctl host add db1 --role database'],
    })
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name))
}

async function look(
  session: SshSession,
  host: HostRow,
  all: readonly HostRow[],
): Promise<Omit<SeenOnHost, 'snapshots'>> {
  const { stanza, postgresql, snapshot, basebackup } = host
  const from = Date.now()
  const { stdout } = await session.run('date +%s%3N')
  const clockOffsetMs = offsetOf(Number(stdout.toString('utf8')), from, Date.now())
  const script = await readFile(packagedFile('host/check/look.sh'))
  const words = [
    ...[stanza, postgresql?.dataDirectory ?? '', snapshot?.directory ?? ''],
    basebackup?.directory ?? '',
  ]
  const run = `exec sh -s ${words.map((word) => `'${word}'`).join(' ')}`
  const result = await session.run(run, { stdin: script, timeoutMs: LONGEST_MS })
  if (result.code !== 0) throw new FailureError('look-failed', 'the host does not run a script')
  const lines = result.stdout.toString('utf8').split('\n')
  const looks = new Map(
    lines.map((line) => {
      const [name = '', value = ''] = line.split('\t')
      return [name, value.trim()] as const
    }),
  )
  return {
    clockOffsetMs,
    looks,
    engine: await lookAtEngine(session, host, all),
    postgresql: postgresql ? await askPostgresql(session, postgresql).catch(expected) : undefined,
  }
}

/** What a person can act on is a finding here; the loss of the connection is not. */
function expected(error: unknown): ExpectedError {
  if (error instanceof FailureError) return error
  throw error
}

async function lookAtSnapshots(
  workspace: Workspace,
  hosts: readonly HostRow[],
  environment: NodeJS.ProcessEnv,
): Promise<Map<string, SeenSnapshots | ExpectedError>> {
  const places = hosts.filter(({ snapshot }) => snapshot !== null)
  const digest = createHash('sha256')
    .update(await snapshotProgram())
    .digest('hex')
  const sets = await selectSets(workspace.database, undefined, ['whole', 'partial'])
  const reached = await onSnapshotHosts(workspace, places, environment, async (session, host) => {
    const isCurrent = (await askAbout(session, host)) === `${digest} ${snapshotWords(host)}`
    const obstacle = isCurrent ? await obstacleOn(session, host) : null
    const there = await listSnapshots(session, host)
    const mine = sets.filter(({ members }) =>
      members.some(({ hostId, state }) => hostId === host.id && state === 'taken'),
    )
    const missing = mine.map(({ set }) => set).filter((set) => !there.has(set))
    return { isCurrent, obstacle, missing }
  })
  return new Map(reached.map(({ host, result }) => [host.id, result]))
}

/** What keeps a host from making snapshots; null where nothing does. */
async function obstacleOn(session: SshSession, host: HostRow): Promise<string | null> {
  try {
    await checkPlace(session, host)
    return null
  } catch (error) {
    if (error instanceof FailureError && error.code === 'snapshot-refused') return error.message
    throw error
  }
}

function notLetIn({ name, username }: HostRow, error: ExpectedError): HostCheck {
  const { message } = error
  if (error instanceof ConflictError)
    return { check: 'ssh', state: 'problem', message, fix: `cleverctl host rekey ${name}` }
  if (error instanceof RefusedError)
    return { check: 'ssh', state: 'problem', message, fix: `authorized_keys of ${username}` }
  return { check: 'ssh', state: 'not-checked', message, fix: null }
}

function verdict(result: CheckedHosts, seen: readonly unknown[]): CheckedHosts {
  const count = (state: HostCheck['state']) =>
    result.hosts.flatMap(({ checks }) => checks).filter((check) => check.state === state).length
  const changed = seen.find((each) => each instanceof ConflictError)
  if (changed)
    throw new FindingsError(changed.code, changed.message, {
      ...{ result, suggestions: changed.suggestions, exitCode: ExitCode.conflict },
    })
  const [problems, unchecked] = [count('problem'), count('not-checked')]
  return verdictOn(result, {
    found: problems > 0 && {
      code: 'host-needs-attention',
      words: problems === 1 ? '1 thing is wrong' : `${problems} things are wrong`,
    },
    unchecked: unchecked > 0 && {
      words: `${counted(unchecked, 'thing')} could not be looked at`,
      isOutOfReach: seen.some((each) => each instanceof UnreachableError),
      suggestions: ['cleverctl host list'],
    },
  })
}
