import { ExpectedError } from '../../errors.js'
import type { Workspace } from '../../workspace.js'
import { lineFor } from '../hba/block.js'
import { setHbaLines } from '../hba/change.js'
import { selectHbaStanding } from '../hba/file-store.js'
import type { OpenServer } from './servers.js'
import type { GrantRow } from './store.js'

/**
 * Writes the lines of a grant into pg_hba.conf of each server: TLS and the password, from networks of the person
 * alone. Where that cannot be done it is said, and the grant goes on: what is missing is in its admissions.
 * @param networks those of the person; none: by the unix socket alone
 */
export async function writeGrantLines(
  workspace: Pick<Workspace, 'log' | 'signal'>,
  servers: readonly OpenServer[],
  { role, databases }: Pick<GrantRow, 'role' | 'databases'>,
  networks: readonly string[],
): Promise<void> {
  const { log, signal } = workspace
  const lines = networks.flatMap((network) =>
    databases.flatMap((database) => lineFor({ database, role, network }) ?? []),
  )
  if (lines.length === 0) return
  for (const server of servers) {
    try {
      const { hasTls } = await selectHbaStanding(server.database)
      if (hasTls) await setHbaLines(server, { role, lines }, workspace)
      else log.warn(`${server.host} has no TLS, so nobody is let in over the network`)
    } catch (error) {
      if (!(error instanceof ExpectedError) || signal.aborted) throw error
      log.warn(error.message)
    }
  }
}

/** Takes the lines of a grant out of pg_hba.conf of a server. @throws FailureError where that cannot be done */
export async function removeGrantLines(
  workspace: Pick<Workspace, 'log' | 'signal'>,
  server: OpenServer,
  { role }: Pick<GrantRow, 'role'>,
): Promise<void> {
  await setHbaLines(server, { role, lines: [] }, workspace)
}
