import type { PoolClient } from 'pg'
import { UsageError } from '../errors.js'

/**
 * The process id that a connection was given at login, by which its statements can be cancelled; 0 when it was given
 * none. The driver keeps it but its types do not mention it.
 */
export function processIdOf(client: PoolClient): number {
  return 'processID' in client && typeof client.processID === 'number' ? client.processID : 0
}

/**
 * Refuses a connection that ends at a pooler (PgBouncer and its like). A pooler gives sessions of the server to whoever
 * has a transaction: locks that two rotations rely on would be held by nobody, or for ever, and notifications go astray.
 * It is known by the process id, which it makes up at login.
 * @throws UsageError `database-pooled` naming `place`
 */
export async function refusePooler(client: PoolClient, place: string): Promise<void> {
  const { rows } = await client.query<{ pid: number }>('select pg_catalog.pg_backend_pid() as pid')
  const given = processIdOf(client)
  if (given !== 0 && given !== rows[0]?.pid) throw pooled(place)
}

/** The refusal of a pooler at `place`. */
export function pooled(place: string): UsageError {
  return new UsageError(
    'database-pooled',
    `${place} is a connection pooler, behind which locks and notifications do not hold`,
    { suggestions: ['give the address of PostgreSQL itself'] },
  )
}
