import { NotFoundError, UsageError } from '../errors.js'
import type { Workspace } from '../workspace.js'
import { selectHosts, type HostRow } from './store.js'
import { ofStanza, unknownHost } from './types.js'

/** The database hosts of one cluster. */
export interface DatabaseHosts {
  stanza: string
  hosts: HostRow[]
}

/**
 * The database hosts of one cluster, by name.
 * @param asked.hosts undefined: all of them
 * @throws NotFoundError for a name that no database host has, and where there is none; UsageError where hosts of
 *   several clusters are meant
 */
export async function databaseHosts(
  { database }: Pick<Workspace, 'database'>,
  asked: { stanza: string | undefined; hosts?: readonly string[] | undefined },
): Promise<DatabaseHosts> {
  const all = databasesAmong(await selectHosts(database, undefined), asked.hosts ?? [])
  const hosts = all.filter(
    ({ name, stanza }) =>
      (asked.hosts === undefined || asked.hosts.includes(name)) &&
      (asked.stanza === undefined || asked.stanza === stanza),
  )
  const stanzas = [...new Set(hosts.map(({ stanza }) => stanza))].sort()
  const [stanza, other] = stanzas
  if (stanza === undefined) throw noDatabaseHost(asked.stanza)
  if (other === undefined) return { hosts, stanza }
  throw new UsageError('several-clusters', `these are several clusters: ${stanzas.join(', ')}`, {
    suggestions: [`--stanza ${stanza}`],
  })
}

/**
 * The database hosts of all clusters, by name.
 * @param names none: all of them
 * @throws what {@link databaseHosts} throws, but for several clusters
 */
export async function namedDatabaseHosts(
  { database }: Pick<Workspace, 'database'>,
  names: readonly string[],
): Promise<HostRow[]> {
  const hosts = databasesAmong(await selectHosts(database, undefined), names)
  if (hosts.length === 0) throw noDatabaseHost(undefined)
  return hosts.filter(({ name }) => names.length === 0 || names.includes(name))
}

/** The error where no host of a cluster, or of any, is a database host. */
export function noDatabaseHost(stanza: string | undefined): NotFoundError {
  return new NotFoundError('no-hosts', `no database host${ofStanza(stanza)} is recorded`, {
    suggestions: ['cleverctl host add db1 --role database', 'cleverctl host list'],
  })
}

/** Those of all hosts that are database hosts, as each of the named ones must be. */
function databasesAmong(all: readonly HostRow[], names: readonly string[]): HostRow[] {
  for (const name of names) {
    const host = all.find((each) => each.name === name)
    if (host === undefined) throw unknownHost(name)
    if (host.role !== 'database')
      throw new NotFoundError('host-not-found', `${name} is a backup machine, no database host`, {
        suggestions: ['cleverctl host list --role database'],
      })
  }
  return all.filter(({ role }) => role === 'database')
}
