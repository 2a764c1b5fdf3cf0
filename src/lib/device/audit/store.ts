import type { QueryResultRow } from 'pg'
import type { Database, Queryable } from '../../database/database.js'
import type { Counted } from './types.js'

/**
 * Runs one question of the audit: counts what a select finds, and fetches the first rows of it. The work
 * stays in the database, so that memory here does not grow with the fleet. A million devices take longer
 * than statements may usually take.
 * @param question.select its parameters are `question.values`
 */
export async function selectCounted<Row extends QueryResultRow>(
  database: Database,
  question: { select: string; order: string; values: readonly unknown[]; limit: number },
): Promise<Counted<Row>> {
  const { select, order, values, limit } = question
  return database.transaction(async (transaction) => {
    await transaction.query('set transaction read only')
    await transaction.query('set local statement_timeout = 0')
    // What joins a million rows would go to disk otherwise.
    await transaction.query("set local work_mem = '64MB'")
    const { rows } = await transaction.query<Row & { total: number }>(
      `with found as materialized (${select})
       select found.*, (select count(*) from found)::float8 as total
       from found order by ${order} limit $${values.length + 1}`,
      [...values, limit],
    )
    return { count: rows[0]?.total ?? 0, rows }
  })
}

/** Whether any device was made in this batch. */
export async function hasBatch(database: Queryable, batch: string): Promise<boolean> {
  const { rows } = await database.query('select from cleverctl.device where batch = $1 limit 1', [
    batch,
  ])
  return rows.length > 0
}
