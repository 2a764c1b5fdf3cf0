import type { Database, Queryable, Transaction } from '../database/database.js'

/** How many there are: counted, or told by the planner's statistics where counting takes too long. */
export interface Count {
  count: number
  isEstimate: boolean
}

/** Counting so many rows takes some ten milliseconds; more are estimated. */
const COUNTED_MAX = 100_000

/** Things that may be a million. `estimate` is the table or index whose row statistics tell how many. */
const LARGE = {
  devices: { rows: 'cleverctl.device', estimate: 'cleverctl.device' },
  installed: {
    rows: 'cleverctl.placement where upper_inf(during)',
    estimate: 'cleverctl.placement_installation_open',
  },
  revoked: {
    rows: 'cleverctl.device where revoked_at is not null',
    estimate: 'cleverctl.device_revoked',
  },
} as const

/** Counts devices, or estimates them where there are many. */
export async function countLarge(database: Queryable, what: keyof typeof LARGE): Promise<Count> {
  const { rows, estimate } = LARGE[what]
  const counted = await boundedCount(database, `select from ${rows}`, [])
  if (counted <= COUNTED_MAX) return { count: counted, isEstimate: false }
  const { rows: statistics } = await database.query<{ count: number }>(
    `select reltuples::bigint::float8 as count from pg_class where oid = $1::regclass`,
    [estimate],
  )
  const known = statistics[0]?.count ?? 0
  // No statistics yet, or from before an import.
  if (known < COUNTED_MAX) return { count: await countAll(database, rows), isEstimate: false }
  return { count: Number(known.toPrecision(3)), isEstimate: true }
}

/** Readings that arrived since a moment; many are told by those of the last minute or second of that time. */
export async function countReadings(
  database: Database,
  { since, now }: { since: Date; now: Date },
): Promise<Count> {
  return database.transaction(async (transaction) => {
    // The planner, which takes matches to lie anywhere, would read the table from its beginning.
    await transaction.query('set local enable_seqscan = off')
    let share = 1
    let count = await countArrivals(transaction, since)
    while (count > COUNTED_MAX && share < 3600) {
      share *= 60
      const window = (now.getTime() - since.getTime()) / share
      count = await countArrivals(transaction, new Date(now.getTime() - window))
    }
    if (share === 1) return { count, isEstimate: false }
    return { count: Number((count * share).toPrecision(2)), isEstimate: true }
  })
}

async function countArrivals(transaction: Transaction, since: Date): Promise<number> {
  return boundedCount(transaction, 'select from cleverctl.reading where received_at > $1', [since])
}

/** Counts rows, but no more than one above the bound. */
async function boundedCount(
  database: Queryable,
  select: string,
  values: unknown[],
): Promise<number> {
  const { rows } = await database.query<{ count: number }>(
    `select count(*)::integer as count from (${select} limit ${COUNTED_MAX + 1}) as counted`,
    values,
  )
  return rows[0]?.count ?? 0
}

async function countAll(database: Queryable, from: string): Promise<number> {
  const { rows } = await database.query<{ count: number }>(
    `select count(*)::float8 as count from ${from}`,
  )
  return rows[0]?.count ?? 0
}

/** What there is a few thousand of at most. */
export interface SmallCounts {
  installations: number
  retiredInstallations: number
  installers: number
  keysInGrace: number
}

/** Counts installations, installers and keys whose grace is not over. */
export async function countSmall(database: Queryable, now: Date): Promise<SmallCounts> {
  const { rows } = await database.query<SmallCounts>(
    `select
       (select count(*)::integer from cleverctl.installation where retired_at is null) as installations,
       (select count(*)::integer from cleverctl.installation where retired_at is not null)
         as "retiredInstallations",
       (select count(*)::integer from cleverctl.installer where disabled_at is null) as installers,
       (select count(*)::integer from cleverctl.api_key where state = 'GRACE' and grace_until > $1)
         as "keysInGrace"`,
    [now],
  )
  const [row] = rows
  if (row === undefined) throw new TypeError('a select that always gives a row gave none')
  return row
}

/** Refused arrivals since a moment (whole hours of them), by code, the most frequent first. */
export async function selectRefusals(
  database: Queryable,
  since: Date,
): Promise<{ code: string; count: number }[]> {
  const { rows } = await database.query<{ code: string; count: number }>(
    `select code, sum(count)::float8 as count from cleverctl.refusal
     where last_at > $1 group by code order by 2 desc, code`,
    [since],
  )
  return rows
}

/** The last row of the trail; undefined before the first. */
export async function selectTrailEnd(
  database: Queryable,
): Promise<{ seq: string; hash: string; at: Date } | undefined> {
  const { rows } = await database.query<{ seq: string; hash: string; at: Date }>(
    `select head.seq::text as seq, encode(head.hash, 'hex') as hash, trail.at
     from cleverctl.trail_head as head join cleverctl.trail on trail.seq = head.seq`,
  )
  return rows[0]
}
