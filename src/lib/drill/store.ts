import type { Queryable, Transaction } from '../database/database.js'
import type { DrillResult } from './types.js'

/** A drill as it is recorded. */
export interface DrillRow {
  kind: 'backup' | 'snapshot'
  stanza: string
  /** The machine that keeps the copy. */
  host: string
  /** The label of a backup, the set of a snapshot. */
  subject: string
  result: DrillResult
  begunAt: Date
  endedAt: Date
}

/** Records a drill. */
export async function insertDrill(transaction: Transaction, drill: DrillRow): Promise<void> {
  const { kind, stanza, host, subject, result, begunAt, endedAt } = drill
  await transaction.query(
    `insert into cleverctl.drill (kind, stanza, host, subject, result, begun_at, ended_at)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [kind, stanza, host, subject, result, begunAt, endedAt],
  )
}

/** The last drill of each host and kind, and the last that proved the data: up to two rows for each. */
export async function selectLastDrills(database: Queryable, stanza: string): Promise<DrillRow[]> {
  const { rows } = await database.query<DrillRow>(
    `select distinct kind, stanza, host, subject, result, begun_at as "begunAt", ended_at as "endedAt"
     from (select *, row_number() over (partition by kind, host order by ended_at desc) as place,
             row_number() over (partition by kind, host, result order by ended_at desc) as place_of_result
           from cleverctl.drill where stanza = $1) as ranked
     where place = 1 or (result = 'proven' and place_of_result = 1)
     order by "endedAt"`,
    [stanza],
  )
  return rows
}

/** Subjects of one kind that a drill has proven, and when last. */
export async function selectProven(
  database: Queryable,
  stanza: string,
  kind: DrillRow['kind'],
): Promise<{ subject: string; provenAt: Date }[]> {
  const { rows } = await database.query<{ subject: string; provenAt: Date }>(
    `select subject, max(ended_at) as "provenAt" from cleverctl.drill
     where stanza = $1 and kind = $2 and result = 'proven' group by subject order by max(ended_at)`,
    [stanza, kind],
  )
  return rows
}
