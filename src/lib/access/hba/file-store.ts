import type { Queryable } from '../../database/database.js'

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
