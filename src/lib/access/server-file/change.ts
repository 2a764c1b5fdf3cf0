import type { Database, Queryable } from '../../database/database.js'
import type { Workspace } from '../../workspace.js'
import { whyLockedOut } from '../own-login.js'
import { isUnread, readServerFile, reloadServer, type FileSetting } from './file.js'
import { isOnTrial, keepTrial, takeBackTrials, TRIAL_SECONDS, writeOnTrial } from './trial.js'

/** What becomes of a file of a server's configuration. */
export interface FileChange {
  /** By which the server knows it. */
  setting: FileSetting
  /** Its text, from what it was; bytes as latin1. */
  rewrite: (text: string) => string | Promise<string>
  /** Whether the file need not be read, because there is nothing to change. */
  isDone?: (client: Queryable) => Promise<boolean>
  /** What the server holds against the file as it lies there, before it is in force. */
  errors?: (client: Queryable) => Promise<string[]>
  /** How long the server waits for the new login before it takes the text back by itself. */
  trialSeconds?: number
}

/**
 * Gives a file of a server another text and has the server read it; with the same text it only has it read what it has
 * not. Checked is that the server holds no more against it than before, and that the login which does this gets in anew.
 * Otherwise the former text is put back: by this run, or by the server itself when nothing is heard of this run any more.
 * What a former run has left on trial is taken back first. Call it while files stay.
 * @returns why the file is as it was; undefined where it is as it is to be
 * @throws StatementError where the file cannot be read or written; FailureError where the server does not read it
 */
export async function changeServerFile(
  client: Queryable,
  server: { host: string; database: Database },
  change: FileChange & Pick<Workspace, 'log' | 'signal'>,
): Promise<string | undefined> {
  const { setting, rewrite, isDone, errors, trialSeconds: seconds = TRIAL_SECONDS } = change
  const reload = async () => reloadServer(client, { ...server, ...change })
  const wasLeft = await isOnTrial(client, setting)
  if (!wasLeft && (await isDone?.(client))) {
    // Taken out by a run that did not come to the end, perhaps.
    if (await isUnread(client, setting)) await reload()
    return undefined
  }
  if (wasLeft) await takeBackTrials(client, setting, (await readServerFile(client, setting)).path)
  const before = await readServerFile(client, setting)
  const text = await rewrite(before.text)
  const formerErrors = (await errors?.(client)) ?? []
  const isNew = text !== before.text
  if (!isNew && !(await isUnread(client, setting))) return undefined
  const trial = isNew ? await writeOnTrial(client, before, { setting, text, seconds }) : undefined
  const newErrors = (await errors?.(client)) ?? []
  if (newErrors.length > formerErrors.length) {
    await takeBackTrials(client, setting, before.path)
    return `the server does not take ${newErrors[0]}`
  }
  await reload()
  const why = await whyLockedOut(client, { ...server, ...change })
  if (trial === undefined) return why
  if (why === undefined && (await keepTrial(client, trial))) return undefined
  await takeBackTrials(client, setting, before.path)
  await reload()
  const isBack = (await readServerFile(client, setting)).text !== text
  const now = isBack ? 'the former text is in force again' : 'it could not be put back'
  return `${why ?? 'trying this login took too long'}; ${now}`
}
