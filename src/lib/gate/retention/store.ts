import type { PoolClient } from 'pg'
import type { Queryable } from '../../database/database.js'
import type { MonthState, MonthTable } from './types.js'

/** The parent of the months' tables, as far as it matters here. */
export interface ReadingTable {
  owner: string
  /** Whether the role that asks may change it. */
  isMine: boolean
  /** A partition that somebody made for whatever has no month; no migration does. */
  defaultPartition: string | null
}

/** Looks at the table of readings itself. */
export async function selectReadingTable(queryable: Queryable): Promise<ReadingTable> {
  const { rows } = await queryable.query<ReadingTable>(
    `select pg_get_userbyid(parent.relowner) as owner,
       pg_has_role(parent.relowner, 'usage') as "isMine",
       nullif(partitioned.partdefid, 0)::regclass::text as "defaultPartition"
     from pg_class as parent join pg_partitioned_table as partitioned on partitioned.partrelid = parent.oid
     where parent.oid = 'cleverctl.reading'::regclass`,
  )
  const [row] = rows
  if (row === undefined) throw new TypeError('the table of readings is not partitioned')
  return row
}

/** The months' tables, the oldest first. Row counts are PostgreSQL's estimates: counting would read them all. */
export async function selectMonths(queryable: Queryable): Promise<MonthTable[]> {
  const { rows } = await queryable.query<{
    name: string
    state: MonthState
    rows: string | null
    bytes: string
  }>(
    `select part.relname as name,
       case when link.inhrelid is null then 'detached'
         when link.inhdetachpending then 'detaching' else 'attached' end as state,
       case when part.reltuples >= 0 then part.reltuples::bigint end as rows,
       pg_total_relation_size(part.oid) as bytes
     from pg_class as part
     left join pg_inherits as link
       on link.inhrelid = part.oid and link.inhparent = 'cleverctl.reading'::regclass
     where part.relnamespace = 'cleverctl'::regnamespace and part.relkind = 'r'
       and part.relname ~ '^reading_[0-9]{4}_[0-9]{2}$'
     order by part.relname`,
  )
  return rows.map(({ name, state, rows, bytes }) => ({
    month: name.slice('reading_'.length).replace('_', '-'),
    table: `cleverctl.${name}`,
    state,
    rows: rows === null ? null : Number(rows),
    bytes: Number(bytes),
  }))
}

/**
 * Takes a month's table out of the readings without making anybody wait: what runs meanwhile goes on, and this
 * waits for it. PostgreSQL does it in two transactions, so it can run in none and in no function; interrupted
 * between them it leaves the table `detaching`.
 * @param client a connection outside any transaction
 */
export async function detachMonth(client: PoolClient, { table, state }: MonthTable): Promise<void> {
  const way = state === 'detaching' ? 'finalize' : 'concurrently'
  await client.query(`alter table cleverctl.reading detach partition ${table} ${way}`)
}

/** Drops a table that is no partition any more. */
export async function dropMonth(queryable: Queryable, { table }: MonthTable): Promise<void> {
  await queryable.query(`drop table ${table}`)
}
