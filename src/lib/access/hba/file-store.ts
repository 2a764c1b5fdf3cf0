import { createHash } from 'node:crypto'
import type { Queryable } from '../../database/database.js'

/** pg_hba.conf of a server, as it lies there. */
export interface HbaFile {
  path: string
  /** Its bytes, as latin1. */
  text: string
}

/** Reads it. */
export async function readHbaFile(server: Queryable): Promise<HbaFile> {
  const { rows } = await server.query<{ path: string; content: Buffer }>(
    `select current_setting('hba_file') as path, pg_read_binary_file(current_setting('hba_file')) as content`,
  )
  if (!rows[0]) throw new Error('the server says nothing about its files')
  return { path: rows[0].path, text: rows[0].content.toString('latin1') }
}

/**
 * Gives it another text by one rename, with the owner and the mode that it had; the former one stays beside it. Nothing
 * is changed where it is not as it was read. A standby can do this as well: COPY to a program writes no table.
 */
export async function writeHbaFile(server: Queryable, file: HbaFile, text: string): Promise<void> {
  const digest = createHash('sha256').update(file.text, 'latin1').digest('hex')
  const script = `set -eu; umask 077; file=$(readlink -f ${shellWord(file.path)})
    new=$file.cleverctl-new; cp -p "$file" "$new"
    [ "$(sha256sum < "$new" | cut -c 1-64)" = ${digest} ]
    base64 -d > "$new"; cp -p "$file" "$file.cleverctl-former"; sync "$new" "$file.cleverctl-former"; mv "$new" "$file"`
  const content = Buffer.from(text, 'latin1').toString('base64')
  await server.query(`copy (select '${content}') to program ${literal(script)}`)
}

/** The lines that the server does not take, in words; none: it takes all. */
export async function selectHbaErrors(server: Queryable): Promise<string[]> {
  const { rows } = await server.query<{ error: string }>(
    `select 'line ' || line_number || ': ' || error as error from pg_hba_file_rules
     where error is not null order by line_number`,
  )
  return rows.map(({ error }) => error)
}

/** Whether a line names a role. */
export async function hasLineOf(server: Queryable, role: string): Promise<boolean> {
  const { rowCount } = await server.query(
    'select from pg_hba_file_rules where $1 = any(user_name)',
    [role],
  )
  return rowCount !== 0
}

/** Whether the server has TLS, and whether it may not have read the file since it was written. */
export async function selectHbaStanding(
  server: Queryable,
): Promise<{ hasTls: boolean; isStale: boolean }> {
  const { rows } = await server.query<{ hasTls: boolean; isStale: boolean }>(
    `select current_setting('ssl') = 'on' as "hasTls",
       (pg_stat_file(current_setting('hba_file'))).modification >= date_trunc('second', pg_conf_load_time())
         as "isStale"`,
  )
  if (!rows[0]) throw new Error('the server says nothing about its files')
  return rows[0]
}

/** Lets the server read its configuration. @returns when it last had, by its own clock, before that */
export async function askReload(server: Queryable): Promise<string> {
  const { rows } = await server.query<{ loadedAt: string }>(
    'select pg_conf_load_time()::text as "loadedAt", pg_reload_conf()',
  )
  return rows[0]?.loadedAt ?? ''
}

/** When the server last read its configuration; a new connection comes after that. */
export async function selectLoadedAt(server: Queryable): Promise<string> {
  const { rows } = await server.query<{ loadedAt: string }>(
    'select pg_conf_load_time()::text as "loadedAt"',
  )
  return rows[0]?.loadedAt ?? ''
}

function literal(text: string): string {
  return `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}

function shellWord(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}
