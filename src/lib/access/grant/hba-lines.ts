import type { Workspace } from '../../workspace.js'
import { selectTls } from '../ca/server-store.js'
import { linesFor } from '../hba/block.js'
import { setHbaLines } from '../hba/change.js'
import type { OpenServer } from './servers.js'
import type { GrantRow } from './store.js'

/**
 * Writes the lines of a grant into pg_hba.conf of a server: TLS and the proof, from networks of the person alone.
 * @param networks those of the person; none: by the unix socket alone
 * @throws FailureError where that cannot be done
 */
export async function writeGrantLines(
  workspace: Pick<Workspace, 'log' | 'signal'>,
  server: OpenServer,
  grant: Pick<GrantRow, 'role' | 'databases' | 'method'>,
  networks: readonly string[],
): Promise<void> {
  const { role } = grant
  const lines = linesFor(grant, networks)
  if (lines.length === 0) return
  if ((await selectTls(server.database)).isOn) await setHbaLines(server, { role, lines }, workspace)
  else workspace.log.warn(`${server.host} has no TLS, so nobody is let in over the network`)
}

/** Takes the lines of a grant out of pg_hba.conf of a server. @throws FailureError where that cannot be done */
export async function removeGrantLines(
  workspace: Pick<Workspace, 'log' | 'signal'>,
  server: OpenServer,
  { role }: Pick<GrantRow, 'role'>,
): Promise<void> {
  await setHbaLines(server, { role, lines: [] }, workspace)
}
