import type { Database } from '../../database/database.js'
import { openSibling } from '../../database/sibling.js'
import { NotFoundError } from '../../errors.js'
import type { Workspace } from '../../workspace.js'
import { primaryOf, withServers } from '../grant/servers.js'
import type { CanaryRow } from './types.js'

/**
 * Opens the database in which a decoy is or is to be, on its primary.
 * @throws ConflictError where that takes no changes, RefusedError for a login that is no superuser
 * @throws UnreachableError, NotFoundError for a database that is not there
 */
export async function atPlaceOf<Result>(
  workspace: Workspace,
  { server, database: name }: Pick<CanaryRow, 'server' | 'database'>,
  environment: NodeJS.ProcessEnv,
  work: (database: Database) => Promise<Result>,
): Promise<Result> {
  const names = server === '' ? [] : [server]
  return withServers(workspace, names, environment, async (servers) => {
    const [failed] = servers.failed
    if (failed) throw failed.error
    const { database, host, standing } = primaryOf(servers)
    if (name === '') return work(database)
    if (!standing.databases.includes(name))
      throw new NotFoundError(
        'database-not-found',
        `${host} has no database ${JSON.stringify(name)}`,
        {
          suggestions: [`databases there are: ${standing.databases.join(' ')}`],
        },
      )
    const other = await openSibling(database, name, workspace)
    try {
      return await work(other)
    } finally {
      await other.close()
    }
  })
}
