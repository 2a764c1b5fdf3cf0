import type { Database, Queryable, Transaction } from '../database/database.js'
import type { TrailRow } from './row.js'

/** The end of the chain as the database keeps it beside the rows. */
export interface TrailHead {
  seq: string
  /** Hexadecimal. */
  hash: string
}

/** The trail as it was at one moment, whoever appends meanwhile. */
export interface TrailSnapshot {
  /** Undefined when its row is gone. */
  head: TrailHead | undefined
  /** All rows in the order of their numbers, page by page. */
  pages: AsyncIterable<TrailRow[]>
}

/** Which rows of the trail are wanted. */
export interface TrailFilter {
  since: Date | undefined
  /** `device.revoke`, or `device` for everything done to devices. */
  action: string | undefined
  subject: string | undefined
  /** An operating system user, a database role or a CI job. */
  actor: string | undefined
  /** Only rows before this number. */
  before: string | undefined
  limit: number
}

/** Rows fetched at a time: some hundred kilobytes. */
const PAGE_ROWS = 1000

// A time that has no year of four digits is none that this tool wrote; its text is kept to be shown.
const COLUMNS = `
  seq::text as seq,
  coalesce(to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), at::text) as at,
  phase, action, subject, database_role as "databaseRole", os_user as "osUser", host,
  ci_job as "ciJob", details::text as details,
  encode(previous_hash, 'hex') as "previousHash", encode(hash, 'hex') as hash`

/** Reads the whole trail in one snapshot and in bounded memory. */
export async function readTrail<Result>(
  database: Database,
  work: (snapshot: TrailSnapshot) => Promise<Result>,
): Promise<Result> {
  return database.transaction(async (transaction) => {
    await transaction.query('set transaction isolation level repeatable read, read only')
    return work({ head: await selectTrailHead(transaction), pages: pagesOf(transaction) })
  })
}

/** The end of the chain; undefined when its row is gone. */
export async function selectTrailHead(database: Queryable): Promise<TrailHead | undefined> {
  const { rows } = await database.query<TrailHead>(
    `select seq::text as seq, encode(hash, 'hex') as hash from cleverctl.trail_head`,
  )
  return rows[0]
}

async function* pagesOf(transaction: Transaction): AsyncGenerator<TrailRow[]> {
  // A cursor, unlike pages by key, shows two rows with one number, should somebody have made them.
  await transaction.query(
    `declare trail_rows no scroll cursor for select ${COLUMNS} from cleverctl.trail order by trail.seq`,
  )
  for (;;) {
    const { rows } = await transaction.query<TrailRow>(`fetch ${PAGE_ROWS} from trail_rows`)
    if (rows.length > 0) yield rows
    if (rows.length < PAGE_ROWS) return
  }
}

/** Rows that fit the filter, newest first. */
export async function selectTrail(database: Queryable, filter: TrailFilter): Promise<TrailRow[]> {
  const { since, action, subject, actor, before, limit } = filter
  const { rows } = await database.query<TrailRow>(
    `select ${COLUMNS} from cleverctl.trail
    where ($1::timestamptz is null or trail.at >= $1)
      and ($2::text is null or action = $2 or starts_with(action, $2 || '.'))
      and ($3::text is null or subject = $3)
      and ($4::text is null or $4 in (os_user, database_role, ci_job))
      and ($5::bigint is null or trail.seq < $5)
    order by trail.seq desc limit $6`,
    [since, action, subject, actor, before, limit],
  )
  return rows
}
