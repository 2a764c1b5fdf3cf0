import type { Database, Queryable } from '../../database/database.js'
import { StatementError } from '../../database/statement-error.js'
import { FailureError } from '../../errors.js'
import type { Workspace } from '../../workspace.js'
import { whyLockedOut } from '../own-login.js'
import {
  isUnread,
  readServerFile,
  reloadServer,
  whileFilesStay,
  writeServerFile,
} from '../server-file.js'
import { withLinesOf } from './block.js'
import { hasLineOf, selectHbaErrors } from './file-store.js'

/**
 * Makes these all lines of a granted role in pg_hba.conf of a server, and has the server read them. What is checked
 * before that: that the server takes every line; after it: that the login which does this still gets in. Otherwise
 * the former file is put back. The same call again finishes what was interrupted.
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

/** What becomes of a pg_hba.conf. */
interface Rewriting {
  /** Its text, from what it was. @throws SyntaxError where it cannot be said */
  rewrite: (text: string) => string
  /** Whether the file need not be read, because there is nothing to change. */
  isDone?: (client: Queryable) => Promise<boolean>
}

/**
 * Gives pg_hba.conf of a server another text, and has the server read it; with the same text it only has it read what it
 * has not. See {@link setHbaLines} for what is checked.
 * @throws FailureError where it cannot be done; the file is then as it was
 */
export async function rewriteHba(
  server: { host: string; database: Database },
  rewriting: Rewriting,
  { log, signal }: Pick<Workspace, 'log' | 'signal'>,
): Promise<void> {
  const { host, database } = server
  try {
    await whileFilesStay(database, (client) =>
      change(client, { host, database, ...rewriting, log, signal }),
    )
  } catch (error) {
    if (!(error instanceof StatementError || error instanceof SyntaxError)) throw error
    throw notChanged(host, error.message)
  }
}

type Given = { host: string; database: Database } & Rewriting & Pick<Workspace, 'log' | 'signal'>

async function change(client: Queryable, given: Given): Promise<void> {
  const { host, rewrite, isDone } = given
  if (await isDone?.(client)) {
    // Taken out by a run that did not come to the end, perhaps.
    if (await isUnread(client, 'hba_file')) await reloadServer(client, given)
    return
  }
  const before = await readServerFile(client, 'hba_file')
  const text = rewrite(before.text)
  const isNew = text !== before.text
  const formerErrors = await selectHbaErrors(client)
  if (isNew) await writeServerFile(client, before, text)
  const putBack = async (reason: string): Promise<never> => {
    if (isNew) await writeServerFile(client, { ...before, text }, before.text)
    throw notChanged(host, reason)
  }
  const errors = await selectHbaErrors(client)
  if (errors.length > formerErrors.length) await putBack(`the server does not take ${errors[0]}`)
  if (!isNew && !(await isUnread(client, 'hba_file'))) return
  await reloadServer(client, given)
  const why = await whyLockedOut(client, given)
  if (why === undefined) return
  await putBack(`${why}; the former rules are in force again`).finally(() =>
    reloadServer(client, given),
  )
}

function notChanged(host: string, reason: string): FailureError {
  return new FailureError('hba-not-changed', `pg_hba.conf of ${host} is not changed: ${reason}`, {
    suggestions: ['add or remove the line by hand, then: select pg_reload_conf()'],
  })
}
