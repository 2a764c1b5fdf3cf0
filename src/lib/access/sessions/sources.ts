import { namedDatabaseHosts } from '../../host/database-hosts.js'
import type { HostRow } from '../../host/store.js'
import type { Workspace } from '../../workspace.js'
import { serversOf, type LogFiles } from './read-files.js'

/** Whose logs are asked for. */
export interface SourcesAsked {
  /** Logs of one server, or of several in folders of their own; none: the logs of hosts. */
  logs: readonly string[]
  /** Names of database hosts; none: all of them. */
  hosts: readonly string[]
  /** log_line_prefix of the server, for logs of stderr. */
  prefix: string | undefined
  isRecording: boolean
}

/** Where logs are, with the names of their servers. */
export type Sources = { servers: string[] } & ({ files: LogFiles } | { hosts: HostRow[] })

/**
 * Finds out where the logs are.
 * @throws NotFoundError for hosts that are not recorded, and without any
 */
export async function findSources(workspace: Workspace, asked: SourcesAsked): Promise<Sources> {
  const { logs, hosts: names, prefix, isRecording } = asked
  if (logs.length === 0) {
    const hosts = await namedDatabaseHosts(workspace, names)
    return { hosts, servers: hosts.map(({ name }) => name) }
  }
  // In the ledger a folder alone would be that of any machine.
  const nameOf = (folder: string) => (isRecording ? `${workspace.actor.host}:${folder}` : folder)
  const files = { logs, prefix, nameOf, mayBeAway: false }
  return { files, servers: serversOf(files) }
}
