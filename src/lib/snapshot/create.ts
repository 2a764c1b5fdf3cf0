import { ConflictError, ExpectedError, PartialError, UsageError } from '../errors.js'
import { databaseHosts } from '../host/database-hosts.js'
import type { HostRow } from '../host/store.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { logInForSnapshots, takeSnapshot } from './on-host.js'
import { recordOutcome, whileAlone } from './settle.js'
import { insertSet, selectSet, type SetRow } from './store.js'
import { nameOfSet, unknownSet, type SnapshotSet } from './types.js'

/** Of which hosts snapshots are made. */
export interface SnapshotQuestion {
  environment: NodeJS.ProcessEnv
  stanza: string | undefined
  /** Undefined: all database hosts of the cluster. */
  hosts: readonly string[] | undefined
  label: string | undefined
}

/**
 * Makes a snapshot of the data directory on several hosts at once, as one set. What a former run left unsettled is
 * settled first.
 * @throws UsageError for a bad label, and for a host that has no place for snapshots; NotFoundError for a host that is
 *   not recorded
 * @throws PartialError when some hosts made none, or what they made is no set, and the failure of the first host when
 *   none did; the set is their result
 */
export async function createSnapshots(
  workspace: Workspace,
  asked: SnapshotQuestion,
): Promise<SnapshotSet> {
  const { clock } = workspace
  nameOfSet(clock.now(), asked.label)
  const { hosts, stanza } = await databaseHosts(workspace, asked)
  for (const host of hosts) requirePlace(host)
  const { environment, label } = asked
  // Logging in goes on beside all that comes before the first host makes something.
  const logins = logInForSnapshots(workspace, hosts, environment)
  try {
    // Before anything is written: what opens no host is not begun.
    await workspace.keyring()
    return await whileAlone(workspace, { stanza, environment }, async () => {
      const set = await begin(workspace, { hosts, stanza, label })
      const reached = await logins.work((session, host) => takeSnapshot(session, host, set.set))
      return verdictOn(await recordOutcome(workspace, set, reached), reached)
    })
  } finally {
    await logins.close()
  }
}

function requirePlace({ name, snapshot }: HostRow): void {
  if (snapshot !== null) return
  throw new UsageError('no-snapshot-directory', `${name} is recorded without snapshots`, {
    suggestions: [
      `cleverctl host add ${name} --replace --snapshot-driver btrfs --snapshot-directory DIR, with its other flags`,
      'cleverctl snapshot create --host NAME for the hosts that have a place for them',
    ],
  })
}

async function begin(
  { database, actor, clock }: Workspace,
  {
    hosts,
    stanza,
    label,
  }: { hosts: readonly HostRow[]; stanza: string; label: string | undefined },
): Promise<SetRow> {
  const begunAt = clock.now()
  const set = nameOfSet(begunAt, label)
  return database.transaction(async (transaction) => {
    const hostIds = hosts.map(({ id }) => id)
    if (!(await insertSet(transaction, { set, stanza, begunAt, hostIds })))
      throw new ConflictError('set-exists', `${set} is there already`, {
        suggestions: ['give the command again a second later'],
      })
    const row = await selectSet(transaction, set)
    if (row === undefined) throw unknownSet(set)
    await appendTrail(transaction, actor, {
      phase: 'intent',
      action: 'snapshot.create',
      subject: set,
      details: { stanza, hosts: hosts.map(({ name }) => name) },
    })
    return row
  })
}

function verdictOn(set: SnapshotSet, reached: readonly { result: unknown }[]): SnapshotSet {
  if (set.state === 'whole') return set
  const failures = reached
    .map(({ result }) => result)
    .filter((result) => result instanceof ExpectedError)
  const [first] = failures
  if (first !== undefined && failures.length === reached.length) throw first.withResult(set)
  const failed = set.members.filter(({ state }) => state !== 'taken').map(({ host }) => host)
  const why = set.reason ?? `none of ${failed.join(', ')}`
  throw new PartialError('partial-set', `${set.set} is partial: ${why}`, {
    result: set,
    suggestions: ['cleverctl host check', 'cleverctl snapshot create --all'],
  })
}
