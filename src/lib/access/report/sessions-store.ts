import type { Queryable } from '../../database/database.js'
import { STEPS, type Period } from './period.js'
import type { Listed, PersonSeen, SessionsAt, SessionTotals } from './types.js'

/** Sessions that began in each step: as they should be, standing out, or refused; each counts once. */
export async function selectSessionsOverTime(
  database: Queryable,
  { since, until, step }: Period,
): Promise<SessionsAt[]> {
  const { rows } = await database.query<SessionsAt>(
    `with step as (${STEPS})
     select first_day as "from",
       count(*) filter (where cardinality(flags) = 0 and outcome in ('open', 'ended'))::integer as expected,
       count(*) filter (where cardinality(flags) > 0)::integer as flagged,
       count(*) filter (where cardinality(flags) = 0 and outcome in ('refused', 'probe'))::integer as refused
     from step left join cleverctl.session_now
       on started_at >= greatest(begins_at, $1) and started_at < ends_at
     group by first_day order by first_day`,
    [since, until, step],
  )
  return rows
}

/** Who was in, or tried to be: those that stand out most come first. */
export async function selectPeople(
  database: Queryable,
  { since, until }: Period,
  limit: number,
): Promise<Listed<PersonSeen>> {
  const { rows } = await database.query<
    Omit<PersonSeen, 'lastAt'> & { lastAt: Date; total: number }
  >(
    `select who, count(*) filter (where outcome in ('open', 'ended'))::integer as sessions,
       count(*) filter (where outcome in ('refused', 'probe'))::integer as refused,
       count(*) filter (where cardinality(flags) > 0)::integer as flagged,
       count(distinct coalesce(address, 'unix socket'))::integer as places,
       (array_agg(distinct coalesce(address, 'unix socket')))[1:3] as addresses,
       max(started_at) as "lastAt", count(*) over ()::integer as total
     from cleverctl.session_now where started_at >= $1 and started_at < $2
     group by who order by flagged desc, sessions desc, who collate "C" limit $3`,
    [since, until, limit],
  )
  return {
    total: rows[0]?.total ?? 0,
    rows: rows.map(({ total: _total, lastAt, ...person }) => ({
      ...person,
      lastAt: lastAt.toISOString(),
    })),
  }
}

/** How far back the ledger goes, and how many sessions of the period stand out. */
export async function countLedger(
  database: Queryable,
  { since, until }: Period,
): Promise<SessionTotals> {
  const { rows } = await database.query<
    Omit<SessionTotals, 'recordedSince'> & { recordedSince: Date | null }
  >(
    `select (select min(recorded_at) from cleverctl.session) as "recordedSince", count(*)::integer as total,
       count(*) filter (where cardinality(flags) > 0)::integer as flagged
     from cleverctl.session_now where started_at >= $1 and started_at < $2`,
    [since, until],
  )
  const [row] = rows
  if (row === undefined) throw new TypeError('a select that always gives a row gave none')
  return { ...row, recordedSince: row.recordedSince?.toISOString() ?? null }
}
