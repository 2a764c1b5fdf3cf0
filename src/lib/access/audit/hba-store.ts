import type { Database } from '../../database/database.js'
import { FailureError } from '../../errors.js'
import { parseInterfaces } from '../hba/interfaces.js'
import { logicalLines, type HbaRow } from '../hba/read.js'
import type { ServerAddress } from '../hba/types.js'
import { select } from './server-store.js'

/** Characters; a machine with the routes of a whole company has fewer. */
const MOST_ROUTES = 4_000_000

/** The rules that pg_hba.conf holds now; with its lines where they may be read. */
export async function selectHba(
  database: Database,
): Promise<{ rows: HbaRow[]; lines: string[] | undefined }> {
  const rows = await select<HbaRow>(
    database,
    `select to_jsonb(rule) ->> 'file_name' as file, line_number as line, type,
       database as databases, user_name as users, address, netmask, auth_method as method, options, error
     from pg_hba_file_rules as rule`,
  )
  // With files that are included a line number alone says nothing.
  const isOneFile = new Set(rows.map(({ file }) => file)).size <= 1
  const [read] = isOneFile
    ? await select<{ text: string }>(
        database,
        `select case when has_function_privilege('pg_read_file(text)', 'execute')
           then pg_read_file(current_setting('hba_file', true)) end as text`,
      ).catch(() => [])
    : []
  return { rows, lines: read?.text ? logicalLines(read.text) : undefined }
}

/** When pg_hba.conf was written, and when the server last read its configuration. */
export async function selectLoadTimes(
  database: Database,
): Promise<{ writtenAt: Date; loadedAt: Date }> {
  const [row] = await select<{ writtenAt: Date; loadedAt: Date }>(
    database,
    `select (pg_stat_file(current_setting('hba_file'))).modification as "writtenAt",
       pg_conf_load_time() as "loadedAt"`,
  )
  if (!row) throw new Error('the server says nothing about its files')
  return row
}

/**
 * The addresses of the server's machine, as its kernel knows them.
 * @throws StatementError where the role may not read files there, or the machine does not run Linux
 * @throws FailureError where masks cannot be told
 */
export async function selectInterfaces(database: Database): Promise<ServerAddress[]> {
  const [row] = await select<{ fibTrie: string; inet6: string | null }>(
    database,
    `select pg_read_file('/proc/net/fib_trie', 0, ${MOST_ROUTES}) as "fibTrie",
       pg_read_file('/proc/net/if_inet6', 0, ${MOST_ROUTES}, true) as inet6`,
  )
  if (!row) throw new Error('the server says nothing about its machine')
  if (row.fibTrie.length === MOST_ROUTES)
    throw new FailureError('interfaces-unclear', 'the machine has too many routes')
  return parseInterfaces(row.fibTrie, row.inet6)
}
