import type { Queryable, Transaction } from '../../database/database.js'
import type { CanaryKind, CanaryRow, CanaryState } from './types.js'

const SELECT = `select id, kind, server, database_name as database, name, reference, state,
    planted_at as "plantedAt", removed_at as "removedAt" from cleverctl.access_canary`

/** Decoys, the oldest first. @param withRemoved those that were removed, too */
export async function selectCanaries(
  database: Queryable,
  withRemoved = false,
): Promise<CanaryRow[]> {
  const { rows } = await database.query<CanaryRow>(
    `${SELECT} where $1 or state <> 'REMOVED' order by id`,
    [withRemoved],
  )
  return rows
}

/** Names of decoy roles that were not removed. */
export async function selectDecoyRoles(database: Queryable): Promise<string[]> {
  const canaries = await selectCanaries(database)
  return canaries.filter(({ kind }) => kind === 'role').map(({ name }) => name)
}

/** One by its number, removed or not. */
export async function selectCanary(
  database: Queryable,
  id: string,
): Promise<CanaryRow | undefined> {
  return (await database.query<CanaryRow>(`${SELECT} where id = $1`, [id])).rows[0]
}

/** The one in a place that was not removed. */
export async function selectCanaryAt(
  database: Queryable,
  place: { kind: CanaryKind; server: string; database: string; name: string },
): Promise<CanaryRow | undefined> {
  const { rows } = await database.query<CanaryRow>(
    `${SELECT} where kind = $1 and server = $2 and database_name = $3 and name = $4 and state <> 'REMOVED'`,
    [place.kind, place.server, place.database, place.name],
  )
  return rows[0]
}

/** Writes down one that is about to be made. @returns its number; undefined when another run was quicker */
export async function insertCanary(
  transaction: Transaction,
  given: Pick<CanaryRow, 'kind' | 'server' | 'database' | 'name' | 'reference' | 'plantedAt'>,
): Promise<string | undefined> {
  const { rows } = await transaction.query<{ id: string }>(
    `insert into cleverctl.access_canary (kind, server, database_name, name, reference, state, planted_at)
     values ($1, $2, $3, $4, $5, 'PLANNED', $6) on conflict do nothing returning id`,
    [given.kind, given.server, given.database, given.name, given.reference, given.plantedAt],
  )
  return rows[0]?.id
}

/** Moves one on, unless another run has. @returns whether it was moved by this call */
export async function moveCanary(
  transaction: Transaction,
  id: string,
  move: { from: readonly CanaryState[]; to: CanaryState; removedAt?: Date },
): Promise<boolean> {
  const { rowCount } = await transaction.query(
    `update cleverctl.access_canary set state = $3, removed_at = $4
     where id = $1 and state = any($2::text[])`,
    [id, move.from, move.to, move.removedAt ?? null],
  )
  return rowCount === 1
}
