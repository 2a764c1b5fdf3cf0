import { setTimeout as sleep } from 'node:timers/promises'
import type { Database, Queryable } from '../../database/database.js'
import { FailureError } from '../../errors.js'

const RELOAD_MS = 30_000
const RETRY_MS = 20
/** One run at a time changes files of a server. */
const LOCK = 'cleverctl: pg_hba.conf'

/** A file of a server's configuration, as it lies there. */
export interface ServerFile {
  path: string
  /** Its bytes, as latin1. */
  text: string
}

/** Runs some work on one connection while no other run changes files of this server. */
export async function whileFilesStay<Result>(
  database: Database,
  work: (client: Queryable) => Promise<Result>,
): Promise<Result> {
  return database.connection(async (client) => {
    await client.query('select pg_advisory_lock(hashtextextended($1, 0))', [LOCK])
    try {
      return await work(client)
    } finally {
      await client.query('select pg_advisory_unlock(hashtextextended($1, 0))', [LOCK])
    }
  })
}

/** A setting that names a file. */
export type FileSetting = 'hba_file' | 'ssl_ca_file' | 'ssl_crl_file'

/** Reads the file that a setting names. @throws StatementError where it is not there or may not be read */
export async function readServerFile(server: Queryable, setting: FileSetting): Promise<ServerFile> {
  const { rows } = await server.query<{ path: string; content: Buffer }>(
    'select current_setting($1) as path, pg_read_binary_file(current_setting($1)) as content',
    [setting],
  )
  if (!rows[0]) throw new Error('the server says nothing about its files')
  return { path: rows[0].path, text: rows[0].content.toString('latin1') }
}

/** Whether a server may not have read the file that a setting names since it was written. */
export async function isUnread(server: Queryable, setting: FileSetting): Promise<boolean> {
  const { rows } = await server.query<{ isUnread: boolean }>(
    `select (pg_stat_file(current_setting($1))).modification >= date_trunc('second', pg_conf_load_time())
       as "isUnread"`,
    [setting],
  )
  return rows[0]?.isUnread !== false
}

/**
 * Has a server read its configuration. Every connection that begins after this is judged by what the files hold.
 * @param host for the message
 * @throws FailureError when it does not within half a minute
 */
export async function reloadServer(
  client: Queryable,
  { host, signal }: { host: string; signal: AbortSignal },
): Promise<void> {
  const former = await selectLoadedAt(client, true)
  const deadline = performance.now() + RELOAD_MS
  while ((await selectLoadedAt(client)) === former) {
    if (performance.now() > deadline)
      throw new FailureError('hba-not-loaded', `${host} does not read its configuration`)
    await sleep(RETRY_MS, undefined, { signal })
  }
}

/** When the server last read its configuration, by its own clock. @param isAsked it is to do so again */
async function selectLoadedAt(server: Queryable, isAsked = false): Promise<string> {
  const { rows } = await server.query<{ loadedAt: string }>(
    `select pg_conf_load_time()::text as "loadedAt"${isAsked ? ', pg_reload_conf()' : ''}`,
  )
  return rows[0]?.loadedAt ?? ''
}
