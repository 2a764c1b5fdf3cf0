import { hold } from '../../database/hold.js'
import { ConflictError, PartialError } from '../../errors.js'
import { findPgbackrestHost } from '../../host/backup-host.js'
import { onHost } from '../../host/reach.js'
import type { HostRow } from '../../host/store.js'
import { appendTrail } from '../../trail/append.js'
import type { Workspace } from '../../workspace.js'
import { askStanza } from '../info.js'
import {
  changeMachine,
  changeMachines,
  databasesOf,
  outcomesOf,
  type Changer,
} from './on-machines.js'
import { endChange } from './record.js'
import { lockRepository, updateState, type RepositoryRow } from './store.js'
import {
  changeLock,
  changeUnderWay,
  unknownRepository,
  type RepositoryFacts,
  type RepositoryMachine,
} from './types.js'

/** What became of a repository that was to be taken out. */
export interface RemovedRepository extends RepositoryFacts {
  stanza: string
  outcome: 'removed' | 'incomplete'
  machines: RepositoryMachine[]
}

/**
 * Takes a repository out of pgBackRest's configuration on every machine of a stanza, the database hosts first. The
 * backups in it stay, and the passphrase by which they can be read. What was interrupted is finished by the same call.
 * @throws NotFoundError where this tool has added none of this number; ConflictError where it is the only one with
 *   backups; PartialError where a database host was out of reach: then the backup machine still has it
 */
export async function removeRepository(
  workspace: Workspace,
  asked: { stanza: string | undefined; number: number; changer: Changer },
): Promise<RemovedRepository> {
  const { number, changer } = asked
  const backupHost = await findPgbackrestHost(workspace, asked.stanza)
  const { stanza } = backupHost
  return hold(workspace.database, changeLock(stanza), changeUnderWay(stanza), async () => {
    await requireOthers(workspace, backupHost, number, changer.environment)
    const { id, kind, settings } = await begin(workspace, stanza, number)
    const facts: RepositoryFacts = { number, kind, settings }
    const given = { ...changer, number, step: { do: 'take-out' } as const }
    const databases = await databasesOf(workspace, stanza)
    const machines = outcomesOf(await changeMachines(workspace, databases, given))
    const left = machines.filter(({ outcome }) => outcome === 'failed').map(({ name }) => name)
    // A database host that still sends WAL to it would keep all of it.
    if (left.length === 0) machines.push(await changeMachine(workspace, backupHost, given))
    const [state, outcome] =
      left.length === 0 ? (['REMOVED', 'removed'] as const) : (['REMOVING', 'incomplete'] as const)
    const details = { outcome, machines }
    await endChange(workspace, { id, state, stanza, verb: 'remove', ...facts, details })
    const result: RemovedRepository = { stanza, ...facts, outcome, machines }
    if (left.length === 0) return result
    throw new PartialError(
      'machines-left',
      `repository ${number} is still known on ${left.join(', ')} and ${backupHost.name}`,
      { result, suggestions: ['give the same command again when they are in reach'] },
    )
  })
}

/** The only copy is not forgotten by a slip of a number. */
async function requireOthers(
  workspace: Workspace,
  backupHost: HostRow,
  number: number,
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  const { backups } = await onHost(workspace, backupHost, environment, (session) =>
    askStanza(session, backupHost.stanza),
  )
  const holders = new Set(backups.map(({ repository }) => repository))
  if (!holders.has(number) || holders.size > 1) return
  throw new ConflictError('only-repository', `no other repository than ${number} has a backup`, {
    suggestions: ['cleverctl backup run --type full, into another one'],
  })
}

async function begin(
  { database, actor, clock }: Workspace,
  stanza: string,
  number: number,
): Promise<RepositoryRow> {
  return database.transaction(async (transaction) => {
    const found = await lockRepository(transaction, stanza, number)
    if (found === undefined || found.state === 'REMOVED') throw unknownRepository(stanza, number)
    await updateState(transaction, found.id, 'REMOVING', clock.now())
    await appendTrail(transaction, actor, {
      phase: 'intent',
      action: 'backup.repo.remove',
      subject: stanza,
      details: { number, kind: found.kind, settings: found.settings },
    })
    return found
  })
}
