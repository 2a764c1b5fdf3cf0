import { NotFoundError, UsageError } from '../errors.js'
import type { Workspace } from '../workspace.js'
import { selectHosts, type HostRow } from './store.js'
import { unknownHost } from './types.js'

/**
 * The database hosts of one cluster, by name.
 * @param asked.hosts undefined: all of them
 * @throws NotFoundError for a name that no database host has, and where there is none; UsageError where hosts of
 *   several clusters are meant
 */
export async function databaseHosts(
  { database }: Pick<Workspace, 'database'>,
  asked: { stanza: string | undefined; hosts?: readonly string[] | undefined },
): Promise<{ hosts: HostRow[]; stanza: string }> {
  const all = await selectHosts(database, 'database')
  const missing = asked.hosts?.find((name) => !all.some((host) => host.name === name))
  if (missing !== undefined) throw unknownHost(missing)
  const hosts = all.filter(
    ({ name, stanza }) =>
      (asked.hosts === undefined || asked.hosts.includes(name)) &&
      (asked.stanza === undefined || asked.stanza === stanza),
  )
  const stanzas = [...new Set(hosts.map(({ stanza }) => stanza))].sort()
  const [stanza, other] = stanzas
  if (stanza === undefined)
    throw new NotFoundError(
      'no-hosts',
      asked.stanza === undefined
        ? 'no database host is recorded'
        : `no database host of the stanza ${asked.stanza} is recorded`,
      {
        suggestions: ['cleverctl host add db1 --role database', 'cleverctl host list'],
      },
    )
  if (other === undefined) return { hosts, stanza }
  throw new UsageError('several-clusters', `these are several clusters: ${stanzas.join(', ')}`, {
    suggestions: [`--stanza ${stanza}`],
  })
}

/**
 * The database hosts of all clusters, by name.
 * @param names none: all of them
 * @throws NotFoundError for a name that no database host has, and where there is none
 */
export async function namedDatabaseHosts(
  { database }: Pick<Workspace, 'database'>,
  names: readonly string[],
): Promise<HostRow[]> {
  const all = await selectHosts(database, 'database')
  if (all.length === 0)
    throw new NotFoundError('no-hosts', 'no database host is recorded', {
      suggestions: ['cleverctl host add db1 --role database'],
    })
  const unknown = names.find((name) => !all.some((host) => host.name === name))
  if (unknown !== undefined) throw unknownHost(unknown)
  return all.filter(({ name }) => names.length === 0 || names.includes(name))
}
