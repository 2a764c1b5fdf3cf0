import { setTimeout as sleep } from 'node:timers/promises'
import { CancelledError, ConflictError, ExpectedError, FailureError } from '../../errors.js'
import { runAsRoot, type Administrator } from '../../host/administrator.js'
import { onEach, onHost, type Reached } from '../../host/reach.js'
import { lastWords } from '../../host/say.js'
import { selectHosts, type HostRow } from '../../host/store.js'
import type { Workspace } from '../../workspace.js'
import { LOCKED } from '../failure.js'
import { IO_TIMEOUT_S } from '../info.js'
import { machineScript, type MachineStep } from './script.js'
import type { RepositoryMachine } from './types.js'

/** Who changes configurations, and from where. */
export interface Changer {
  administrator: Administrator
  environment: NodeJS.ProcessEnv
}

/** Exit code of machine.sh where another file has the number. */
const TAKEN = 66
const CALL_TIMEOUT_MS = 300_000
const LOCKED_AT_MOST_MS = 60_000
const LOOK_EVERY_MS = 500

/** The database hosts of a stanza. */
export async function databasesOf(
  { database }: Pick<Workspace, 'database'>,
  stanza: string,
): Promise<HostRow[]> {
  const all = await selectHosts(database, 'database')
  return all.filter((host) => host.stanza === stanza)
}

/**
 * Does a step on one machine as root.
 * @throws ConflictError where another file has the number, FailureError where the script fails, what `runAsRoot` throws
 */
export async function changeMachine(
  workspace: Workspace,
  host: HostRow,
  given: Changer & { number: number; step: MachineStep },
): Promise<RepositoryMachine> {
  const { number, step, administrator, environment } = given
  const script = await machineScript(host, number, step)
  const suggestion = '--username and --identity of root, or of somebody with sudo and no password'
  const result = await runAsRoot(workspace, host, {
    ...{ script, administrator, environment, suggestion },
  })
  const words = lastWords({ ...result, stdout: Buffer.alloc(0) })
  if (result.code === TAKEN)
    throw new ConflictError('repository-taken', `${host.name}: ${words}`, {
      suggestions: ['another number: cleverctl backup repo check'],
    })
  if (result.code !== 0)
    throw new FailureError('configuration-failed', `${host.name}: ${words}`, {
      suggestions: ['cleverctl host check'],
    })
  const isChanged = /^changed /m.test(result.stdout.toString('utf8'))
  return { name: host.name, outcome: isChanged ? 'changed' : 'unchanged', reason: null }
}

/** The same on several machines at once. What failed is in the place of the result. */
export async function changeMachines(
  workspace: Workspace,
  hosts: readonly HostRow[],
  given: Changer & { number: number; step: MachineStep },
): Promise<Reached<RepositoryMachine>[]> {
  return onEach(workspace, hosts, (host) => changeMachine(workspace, host, given))
}

/** What became of the machines, those that failed among them. */
export function outcomesOf(reached: readonly Reached<RepositoryMachine>[]): RepositoryMachine[] {
  return reached.map(({ host: { name }, result }) =>
    result instanceof ExpectedError ? { name, outcome: 'failed', reason: result.message } : result,
  )
}

/**
 * Calls pgBackRest on the backup machine as its own user. What a killed run left at work there is waited for.
 * @throws ConflictError while pgBackRest does something else for longer, FailureError with its first error when it
 *   fails, and what `onHost` throws
 */
export async function callPgbackrest(
  workspace: Workspace,
  backupHost: HostRow,
  command: string,
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  const { clock, signal } = workspace
  const { stanza, name } = backupHost
  const words = `--stanza=${stanza} --io-timeout=${IO_TIMEOUT_S} --log-level-console=off --log-level-stderr=error`
  const script = `exec pgbackrest ${words} ${command}`
  const until = clock.now().getTime() + LOCKED_AT_MOST_MS
  await onHost(workspace, backupHost, environment, async (session) => {
    let result = await session.run(script, { timeoutMs: CALL_TIMEOUT_MS })
    while (result.code === LOCKED) {
      if (clock.now().getTime() > until)
        throw new ConflictError('pgbackrest-busy', `pgBackRest of ${stanza} is busy on ${name}`, {
          suggestions: ['give the command again when that is finished: cleverctl backup status'],
        })
      await sleep(LOOK_EVERY_MS, undefined, { signal })
      result = await session.run(script, { timeoutMs: CALL_TIMEOUT_MS })
    }
    if (result.code === 0) return
    // What went wrong stands in the first line, and what was tried again below.
    const [, error] = /ERROR: (?:\[\d+\]: )?(.+)/.exec(result.stderr.toString('utf8')) ?? []
    throw new FailureError(
      'repository-failed',
      `pgbackrest ${command} on ${name}: ${error ?? lastWords(result)}`,
      { suggestions: ['see that its place is there and that the secret opens it'] },
    )
  })
}

/** Whether what was begun on the machines stays as it is, because nobody knows how it went on there. */
export function isOpen(error: unknown): boolean {
  return !(error instanceof ExpectedError) || error instanceof CancelledError
}
