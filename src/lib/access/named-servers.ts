import type { Database } from '../database/database.js'
import { UsageError } from '../errors.js'
import { namedDatabaseHosts } from '../host/database-hosts.js'
import { openPostgresql } from '../host/postgresql.js'
import type { Workspace } from '../workspace.js'
import { openServer } from './audit/target.js'

/** A server that is meant; nothing is open yet. */
export interface NamedServer {
  /** For people and results: the name of a recorded host, or the place without a password. */
  host: string
  open: () => Promise<Database>
  /** Whether it is the connection of the cleverctl database, which stays open. */
  isOwn: boolean
}

/** Servers as flags name them. */
export interface AskedServers {
  dsns: readonly string[]
  /** Names of recorded hosts. */
  hosts: readonly string[]
  isAllHosts: boolean
}

const HOST = 'host:'

/**
 * The names under which servers are kept: a URL without a password, or `host:NAME`.
 * @returns none where none was asked for
 * @throws NotFoundError for a host that is not recorded; UsageError for a host and all of them
 */
export async function serverNames(
  workspace: Pick<Workspace, 'database'>,
  { dsns, hosts, isAllHosts }: AskedServers,
): Promise<string[]> {
  if (isAllHosts && hosts.length > 0)
    throw new UsageError('surplus-flag', '--host and --all-hosts exclude one another')
  if (!isAllHosts && hosts.length === 0) return [...new Set(dsns)]
  const recorded = await namedDatabaseHosts(workspace, hosts)
  return [...new Set([...dsns, ...recorded.map(({ name }) => `${HOST}${name}`)])]
}

/**
 * The servers of such names.
 * @param names none: the server of the cleverctl database
 * @throws UsageError for a URL that is none or holds a password
 */
export async function namedServers(
  workspace: Pick<Workspace, 'database' | 'keyring' | 'signal' | 'log'>,
  names: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<NamedServer[]> {
  const { database, log, signal } = workspace
  if (names.length === 0)
    return [{ host: database.target.description, open: async () => database, isOwn: true }]
  return Promise.all(
    names.map(async (name) => {
      if (!name.startsWith(HOST)) return openServer(name, { environment, log, signal })
      const host = name.slice(HOST.length)
      const open = async () => {
        // Looked for when it is opened: a host may have been taken off the records since.
        const [recorded] = await namedDatabaseHosts(workspace, [host])
        if (recorded === undefined) throw new Error('a name without a host')
        return openPostgresql(workspace, recorded, environment)
      }
      return { host, open, isOwn: false }
    }),
  )
}
