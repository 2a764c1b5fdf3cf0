import { isLsn } from '../cluster/lsn.js'
import { type ExpectedError, FailureError, NotFoundError, RefusedError } from '../errors.js'
import { logIn, onHost, type Logins, type Reached } from '../host/reach.js'
import { lastWords } from '../host/say.js'
import type { HostRow } from '../host/store.js'
import { parseObject } from '../json.js'
import type { SshSession } from '../ssh/session.js'
import type { Workspace } from '../workspace.js'
import type { TakenFacts } from './store.js'
import { nameOnHost } from './types.js'

/** Who has the forced command. */
const USERNAME = 'root'
/** A copy of files takes as long as there are files. */
const LONGEST_MS = 86_400_000

/** Exit codes of host.sh: what a person has to put right, what is not there, what PostgreSQL does not answer. */
const SAID = { refused: 64, notThere: 66, noPostgresql: 69, notFound: 127 } as const

/** Begins to log in to hosts for their forced command; see `logIn`. */
export function logInForSnapshots(
  workspace: Workspace,
  hosts: readonly HostRow[],
  environment: NodeJS.ProcessEnv,
): Logins {
  const logins = logIn(workspace, hosts, environment, USERNAME)
  return {
    ...logins,
    work: async (work) =>
      (await logins.work(work)).map(({ host, result }) => ({
        host,
        result: isNotLetIn(result) ? notPrepared(host) : result,
      })),
  }
}

/** Works on hosts by their forced command; see `onHosts`. */
export async function onSnapshotHosts<Result>(
  workspace: Workspace,
  hosts: readonly HostRow[],
  environment: NodeJS.ProcessEnv,
  work: (session: SshSession, host: HostRow) => Promise<Result>,
): Promise<Reached<Result>[]> {
  return logInForSnapshots(workspace, hosts, environment).work(work)
}

/** The same on one host. */
export async function onSnapshotHost<Result>(
  workspace: Workspace,
  host: HostRow,
  environment: NodeJS.ProcessEnv,
  work: (session: SshSession, host: HostRow) => Promise<Result>,
): Promise<Result> {
  try {
    return await onHost(workspace, host, environment, work, USERNAME)
  } catch (error) {
    throw isNotLetIn(error) ? notPrepared(host) : error
  }
}

const isNotLetIn = (error: unknown): boolean =>
  error instanceof RefusedError && error.code === 'ssh-login-refused'

/** The error for a host on which the forced command is not installed, or is another one. */
export function notPrepared({ name }: Pick<HostRow, 'name'>): RefusedError {
  return new RefusedError('host-not-prepared', `${name} does not let snapshots be made`, {
    suggestions: [`cleverctl host prepare ${name}`, `cleverctl host check ${name}`],
  })
}

/** What the forced command of a host is: its digest, and what it was told of the host. */
export async function askAbout(session: SshSession, host: HostRow): Promise<string> {
  return say(session, host, 'about')
}

/** Whether a snapshot could be made on a host. @throws FailureError `snapshot-refused` that says what is in the way */
export async function checkPlace(session: SshSession, host: HostRow): Promise<void> {
  await say(session, host, 'check')
}

/** Makes a snapshot; one that is there already is left as it is. */
export async function takeSnapshot(
  session: SshSession,
  host: HostRow,
  set: string,
): Promise<TakenFacts> {
  return readFacts(await say(session, host, `create ${nameOnHost(set)}`), host)
}

/** The snapshots of ours that are whole on a host, by the name of their set. */
export async function listSnapshots(
  session: SshSession,
  host: HostRow,
): Promise<Map<string, TakenFacts>> {
  const found = new Map<string, TakenFacts>()
  for (const line of (await say(session, host, 'list')).split('\n')) {
    const [name = '', state, ...facts] = line.split('\t')
    if (state === 'whole')
      found.set(name.slice(nameOnHost('').length), readFacts(facts.join('\t'), host))
  }
  return found
}

/** Removes a snapshot and what an interruption left of it; one that is not there is gone. */
export async function deleteSnapshot(
  session: SshSession,
  host: HostRow,
  set: string,
): Promise<void> {
  await say(session, host, `delete ${nameOnHost(set)}`)
}

/** Copies a snapshot to a folder that is not there or is empty, as the owner of the data, who must be able to make it. */
export async function copySnapshot(
  session: SshSession,
  host: HostRow,
  set: string,
  directory: string,
): Promise<void> {
  const next = 'a folder that is not there yet, where the owner of the data may make one'
  await say(session, host, `copy ${nameOnHost(set)} ${directory}`, next)
}

/** @param next what to do when the host refuses */
async function say(
  session: SshSession,
  host: HostRow,
  words: string,
  next = `cleverctl host check ${host.name}`,
): Promise<string> {
  const result = await session.run(words, { timeoutMs: LONGEST_MS })
  if (result.code === 0) return result.stdout.toString('utf8').trim()
  throw failureOf(result.code, host, lastWords(result), next)
}

function failureOf(code: number | null, host: HostRow, words: string, next: string): ExpectedError {
  const message = `${host.name}: ${words}`
  if (code === SAID.notFound) return notPrepared(host)
  if (code === SAID.notThere) return new NotFoundError('snapshot-not-there', message)
  if (code === SAID.noPostgresql)
    return new FailureError('postgresql-down', message, {
      suggestions: ['cleverctl cluster status'],
    })
  const word = code === SAID.refused ? 'snapshot-refused' : 'snapshot-failed'
  return new FailureError(word, message, { suggestions: [next] })
}

/** `TIME<tab>JSON`, as the script writes it. */
function readFacts(text: string, { name }: HostRow): TakenFacts {
  const [takenAt = '', json = ''] = text.split('\t')
  const { lsn, timeline, isInRecovery, systemIdentifier } = parseObject(json) ?? {}
  const isSound =
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(takenAt) &&
    isLsn(lsn) &&
    typeof timeline === 'number' &&
    Number.isSafeInteger(timeline) &&
    typeof isInRecovery === 'boolean' &&
    typeof systemIdentifier === 'string' &&
    /^\d{1,20}$/.test(systemIdentifier)
  if (!isSound) throw new FailureError('snapshot-unreadable', `${name}: not known what it made`)
  return { takenAt, lsn, timeline, role: isInRecovery ? 'standby' : 'primary', systemIdentifier }
}
