import { isDeepStrictEqual } from 'node:util'
import { hold } from '../../database/hold.js'
import {
  ConflictError,
  ExpectedError,
  PartialError,
  RefusedError,
  UnreachableError,
} from '../../errors.js'
import { findPgbackrestHost } from '../../host/backup-host.js'
import type { HostRow } from '../../host/store.js'
import type { Secret } from '../../secret.js'
import { appendTrail } from '../../trail/append.js'
import type { Workspace } from '../../workspace.js'
import { requirePassphrase } from './asked.js'
import { configurationOf } from './configuration.js'
import {
  callPgbackrest,
  changeMachine,
  changeMachines,
  databasesOf,
  isOpen,
  outcomesOf,
  type Changer,
} from './on-machines.js'
import { openPassphrase, requireSame, sealPassphrase } from './passphrase.js'
import { endChange } from './record.js'
import { insertRepository, lockRepository, updateState } from './store.js'
import {
  changeLock,
  changeUnderWay,
  type RepositoryAccess,
  type RepositoryFacts,
  type RepositoryMachine,
  type RepositoryState,
} from './types.js'

/** What is to be added. */
export interface RepositoryToAdd {
  stanza: string | undefined
  facts: RepositoryFacts
  access: RepositoryAccess
  /** Certificates of another authority than the system's, PEM. */
  authority: string | undefined
  /** That of backups which are there already; undefined: the recorded one, or a new one. */
  passphrase: Secret | undefined
  changer: Changer
}

/** What became of it. */
export interface AddedRepository extends RepositoryFacts {
  stanza: string
  outcome: 'added' | 'changed' | 'unchanged' | 'incomplete'
  machines: RepositoryMachine[]
}

/** A repository on its way. */
interface Begun {
  id: string
  /** What it is again where the change fails and is put back. */
  former: 'ACTIVE' | 'REMOVED'
  /** What it was, and is again where nothing was touched: an earlier change may have been interrupted. */
  previous: RepositoryState
  passphrase: Secret
}

/**
 * Adds a repository to pgBackRest on every machine of a stanza, or gives one that is there another secret or another
 * authority. The backup machine alone learns what opens its place; a database host, only the way to the backup machine.
 * What fails is put back. What was interrupted, or a machine out of reach, is finished by the same call.
 * @throws ConflictError where the number is taken, or the repository is another one; FailureError where pgBackRest does
 *   not come to the repository; PartialError where a database host could not be told; what `changeMachine` throws
 */
export async function addRepository(
  workspace: Workspace,
  asked: RepositoryToAdd,
): Promise<AddedRepository> {
  if (asked.passphrase) requirePassphrase(asked.passphrase)
  const backupHost = await findPgbackrestHost(workspace, asked.stanza)
  const { stanza } = backupHost
  const databases = await databasesOf(workspace, stanza)
  return hold(workspace.database, changeLock(stanza), changeUnderWay(stanza), async () => {
    const begun = await begin(workspace, stanza, asked)
    const machines = await carryOut(workspace, { backupHost, databases, begun, asked })
    const isFinished = machines.every(({ outcome }) => outcome !== 'failed')
    const outcome = outcomeOf(machines, begun)
    const result: AddedRepository = { stanza, ...asked.facts, outcome, machines }
    const details = { outcome, machines }
    const state = isFinished ? 'ACTIVE' : 'CHANGING'
    await endChange(workspace, {
      id: begun.id,
      state,
      stanza,
      verb: 'add',
      ...asked.facts,
      details,
    })
    if (isFinished) return result
    const left = machines.filter((each) => each.outcome === 'failed').map(({ name }) => name)
    throw new PartialError(
      'machines-left',
      `repository ${asked.facts.number} is not known on ${left.join(', ')} yet`,
      { result, suggestions: ['give the same command again when they are in reach'] },
    )
  })
}

function outcomeOf(
  machines: readonly RepositoryMachine[],
  { former }: Begun,
): AddedRepository['outcome'] {
  if (machines.some(({ outcome }) => outcome === 'failed')) return 'incomplete'
  if (former === 'REMOVED') return 'added'
  return machines.some(({ outcome }) => outcome === 'changed') ? 'changed' : 'unchanged'
}

/** Writes it down before the first machine is touched, with its passphrase. */
async function begin(
  workspace: Workspace,
  stanza: string,
  { facts, passphrase: given }: RepositoryToAdd,
): Promise<Begun> {
  const { database, actor, clock } = workspace
  const { number, kind, settings } = facts
  // Opened before the transaction: that may ask a person.
  await workspace.keyring()
  return database.transaction(async (transaction) => {
    const found = await lockRepository(transaction, stanza, number)
    const isSame = found?.kind === kind && isDeepStrictEqual(found.settings, settings)
    if (found && found.state !== 'REMOVED' && !isSame) throw isAnother(facts)
    let begun: Begun
    if (found && isSame) {
      const passphrase = await openPassphrase(workspace, found)
      requireSame(passphrase, given)
      await updateState(transaction, found.id, 'CHANGING', clock.now())
      const former = found.addedAt === null ? 'REMOVED' : 'ACTIVE'
      begun = { id: found.id, former, previous: found.state, passphrase }
    } else {
      const sealed = await sealPassphrase(workspace, given)
      const row = { ...facts, ...sealed, stanza, at: clock.now() }
      const id = await insertRepository(transaction, row)
      const passphrase = await openPassphrase(workspace, sealed)
      begun = { id, former: 'REMOVED', previous: 'REMOVED', passphrase }
    }
    await appendTrail(transaction, actor, {
      phase: 'intent',
      action: 'backup.repo.add',
      subject: stanza,
      details: { number, kind, settings },
    })
    return begun
  })
}

function isAnother({ number }: RepositoryFacts): ConflictError {
  return new ConflictError('repository-exists', `repository ${number} lies in another place`, {
    suggestions: ['cleverctl backup repo list', `cleverctl backup repo remove ${number}`],
  })
}

interface Work {
  backupHost: HostRow
  databases: readonly HostRow[]
  begun: Begun
  asked: RepositoryToAdd
}

/** The backup machine first: a database host that sends WAL to a repository which is not known there keeps all of it. */
async function carryOut(workspace: Workspace, work: Work): Promise<RepositoryMachine[]> {
  const { backupHost, databases, begun, asked } = work
  const { facts, access, authority, changer } = asked
  const { number, kind, settings } = facts
  const configuration = configurationOf(facts, { access, authority, passphrase: begun.passphrase })
  const directory = kind === 'posix' ? settings.path : undefined
  const given = { ...changer, number }
  const first = await changeMachine(workspace, backupHost, {
    ...given,
    step: { do: 'configure', configuration, directory },
  }).catch(async (error: unknown) => {
    // Nothing ran there when it was refused.
    const isTouched = !(error instanceof RefusedError || error instanceof ConflictError)
    return fail(workspace, work, error, isTouched)
  })
  const call = (command: string) =>
    callPgbackrest(workspace, backupHost, command, changer.environment).catch((error: unknown) =>
      fail(workspace, work, error, true),
    )
  await call('stanza-create')
  const reached = await changeMachines(workspace, databases, {
    ...given,
    step: { do: 'point', backupHost },
  })
  const machines = [first, ...outcomesOf(reached)]
  if (machines.some(({ outcome }) => outcome === 'failed')) return machines
  await call('check')
  // What has been seen to work is not put back any more, the backup machine first, as above.
  await changeMachine(workspace, backupHost, { ...given, step: { do: 'settle' } })
  for (const { result } of await changeMachines(workspace, databases, {
    ...given,
    step: { do: 'settle' },
  }))
    if (result instanceof ExpectedError) throw result
  return machines
}

/** Puts back what was changed, the database hosts before the backup machine, and throws what it was for. */
async function fail(
  workspace: Workspace,
  work: Work,
  error: unknown,
  isTouched: boolean,
): Promise<never> {
  // Nobody knows how it went on there. The same command goes on.
  if (isOpen(error) || error instanceof UnreachableError) throw error
  const { backupHost, begun, asked } = work
  const left = isTouched ? await putBack(workspace, work) : []
  const putBackState = left.length === 0 ? begun.former : 'CHANGING'
  const { code, message } = error as ExpectedError
  await endChange(workspace, {
    ...{ id: begun.id, state: isTouched ? putBackState : begun.previous },
    ...{ stanza: backupHost.stanza, verb: 'add', ...asked.facts },
    details: { error: code, message, left },
  })
  throw error
}

/** Database hosts as well where this call had not come to them: an interrupted one may have. @returns those not put back */
async function putBack(
  workspace: Workspace,
  { backupHost, databases, asked }: Work,
): Promise<string[]> {
  const { number } = asked.facts
  const given = { ...asked.changer, number, step: { do: 'put-back' } as const }
  const reached = await changeMachines(workspace, databases, given)
  if (reached.every(({ result }) => !(result instanceof ExpectedError)))
    reached.push(...(await changeMachines(workspace, [backupHost], given)))
  const left = outcomesOf(reached).filter(({ outcome }) => outcome === 'failed')
  for (const { name, reason } of left)
    workspace.log.warn(
      `${name} may still have repository ${number} (${reason}): backup repo remove ${number} takes it out`,
    )
  return left.map(({ name }) => name)
}
