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
  /** What it was, and is again where the change fails. */
  former: 'ACTIVE' | 'REMOVED'
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
    let begun: Begun | undefined
    if (found && isSame) {
      const passphrase = await openPassphrase(workspace, found)
      requireSame(passphrase, given)
      await updateState(transaction, found.id, 'CHANGING', clock.now())
      const former = found.addedAt === null ? 'REMOVED' : 'ACTIVE'
      begun = { id: found.id, former, passphrase }
    } else {
      const sealed = await sealPassphrase(workspace, given)
      const row = { ...facts, ...sealed, stanza, at: clock.now() }
      const id = await insertRepository(transaction, row)
      begun = { id, former: 'REMOVED', passphrase: await openPassphrase(workspace, sealed) }
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
    const isUntouched = error instanceof RefusedError || error instanceof ConflictError
    return fail(workspace, work, error, isUntouched ? [] : [backupHost])
  })
  const call = (command: string, touched: readonly HostRow[]) =>
    callPgbackrest(workspace, backupHost, command, changer.environment).catch((error: unknown) =>
      fail(workspace, work, error, touched),
    )
  await call('stanza-create', [backupHost])
  const reached = await changeMachines(workspace, databases, {
    ...given,
    step: { do: 'point', backupHost },
  })
  const machines = [first, ...outcomesOf(reached)]
  if (machines.some(({ outcome }) => outcome === 'failed')) return machines
  await call('check', [backupHost, ...databases])
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
  { backupHost, begun, asked }: Work,
  error: unknown,
  touched: readonly HostRow[],
): Promise<never> {
  const { facts, changer } = asked
  const { number } = facts
  // Nobody knows how it went on there. The same command goes on.
  if (isOpen(error) || error instanceof UnreachableError) throw error
  const given = { ...changer, number, step: { do: 'put-back' } as const }
  const databases = touched.filter((host) => host !== backupHost)
  const others = await changeMachines(workspace, databases, given)
  const last = others.some(({ result }) => result instanceof ExpectedError)
    ? []
    : await changeMachines(workspace, touched.includes(backupHost) ? [backupHost] : [], given)
  const left = outcomesOf([...others, ...last]).filter(({ outcome }) => outcome === 'failed')
  for (const { name, reason } of left)
    workspace.log.warn(
      `${name} may still have repository ${number} (${reason}): backup repo remove ${number} takes it out`,
    )
  const { code, message } = error as ExpectedError
  await endChange(workspace, {
    ...{ id: begun.id, state: left.length === 0 ? begun.former : 'CHANGING' },
    ...{ stanza: backupHost.stanza, verb: 'add', ...facts },
    details: { error: code, message, left: left.map(({ name }) => name) },
  })
  throw error
}
