import type { Database, Queryable } from '../../database/database.js'
import { StatementError } from '../../database/statement-error.js'
import { FailureError } from '../../errors.js'
import type { Workspace } from '../../workspace.js'
import { changeServerFile, type FileChange } from '../server-file/change.js'
import { whileFilesStay } from '../server-file/file.js'
import { withLinesOf } from './block.js'
import { hasLineOf, selectHbaErrors } from './file-store.js'

/**
 * Makes these all lines of a granted role in pg_hba.conf of a server, and has the server read them; see
 * {@link changeServerFile} for what is checked. The same call again finishes what was interrupted.
 * @param lines none: the role is taken out
 * @throws FailureError where it cannot be done; the file is then as it was
 */
export async function setHbaLines(
  server: { host: string; database: Database },
  given: { role: string; lines: readonly string[] },
  workspace: Pick<Workspace, 'log' | 'signal'>,
): Promise<void> {
  const { role, lines } = given
  const rewrite = (text: string) => withLinesOf(text, role, lines)
  if (lines.length > 0) return rewriteHba(server, { rewrite }, workspace)
  const isDone = async (client: Queryable) => !(await hasLineOf(client, role))
  return rewriteHba(server, { rewrite, isDone }, workspace)
}

/**
 * Gives pg_hba.conf of a server another text, as {@link changeServerFile} does.
 * @throws FailureError where it cannot be done; the file is then as it was
 */
export async function rewriteHba(
  server: { host: string; database: Database },
  change: Omit<FileChange, 'setting' | 'errors'>,
  { log, signal }: Pick<Workspace, 'log' | 'signal'>,
): Promise<void> {
  const { host, database } = server
  const given = { setting: 'hba_file', errors: selectHbaErrors, ...change, log, signal } as const
  try {
    const why = await whileFilesStay(database, (client) => changeServerFile(client, server, given))
    if (why !== undefined) throw notChanged(host, why)
  } catch (error) {
    if (!(error instanceof StatementError || error instanceof SyntaxError)) throw error
    throw notChanged(host, error.message)
  }
}

function notChanged(host: string, reason: string): FailureError {
  return new FailureError('hba-not-changed', `pg_hba.conf of ${host} is not changed: ${reason}`, {
    suggestions: ['add or remove the line by hand, then: select pg_reload_conf()'],
  })
}
