import { ConflictError, ExpectedError, RefusedError } from '../../errors.js'
import type { Database } from '../../database/database.js'
import type { Workspace } from '../../workspace.js'
import { namedServers } from '../named-servers.js'
import { selectStanding, type ServerStanding } from './server-store.js'

/** A server that is open. */
export interface OpenServer {
  host: string
  database: Database
  standing: ServerStanding
}

/** Servers by their URLs: those that are open, and why others are not. */
export interface OpenServers {
  open: OpenServer[]
  failed: { host: string; reason: string; error: ExpectedError }[]
}

/**
 * Opens servers for the time of some work.
 * @param names as `serverNames` gives them; none: the server of the cleverctl database
 * @throws UsageError for a URL that is none or holds a password
 */
export async function withServers<Result>(
  workspace: Workspace,
  names: readonly string[],
  environment: NodeJS.ProcessEnv,
  work: (servers: OpenServers) => Promise<Result>,
): Promise<Result> {
  const { database: own, signal } = workspace
  const servers: OpenServers = { open: [], failed: [] }
  try {
    for (const { host, open } of await namedServers(workspace, names, environment)) {
      let database: Database | undefined
      try {
        database = await open()
        servers.open.push({ host, database, standing: await selectStanding(database) })
      } catch (error) {
        if (database !== own) await database?.close()
        if (!(error instanceof ExpectedError) || signal.aborted) throw error
        servers.failed.push({ host, reason: error.message, error })
      }
    }
    return await work(servers)
  } finally {
    for (const { database } of servers.open) if (database !== own) await database.close()
  }
}

/** The one that takes changes. @throws ConflictError where there is none or more than one */
export function findPrimary({ open }: Pick<OpenServers, 'open'>): OpenServer {
  const [primary, other] = open.filter(({ standing }) => !standing.isStandby)
  if (!primary || other)
    throw new ConflictError(
      primary ? 'several-primaries' : 'no-primary',
      primary
        ? `${primary.host} and ${other?.host} both take changes: name the servers of one primary`
        : 'none of the servers takes changes: name the primary, too',
    )
  return primary
}

/** The same, to make changes there. @throws RefusedError for a login that is no superuser, too */
export function primaryOf(servers: OpenServers): OpenServer {
  const primary = findPrimary(servers)
  if (!primary.standing.isSuperuser)
    throw new RefusedError(
      'superuser-needed',
      `the login at ${primary.host} is no superuser, and cannot make logins nor end sessions of others`,
      { suggestions: ['name a superuser in --dsn; PGPASSFILE has its password'] },
    )
  return primary
}
