import type { Queryable } from '../database/database.js'

/** How the server was reached. */
export interface ConnectionFacts {
  version: string
  versionNumber: number
  path: 'socket' | 'loopback' | 'network'
  /** Protocol and cipher; null without TLS. */
  tls: string | null
}

/** The server's version and the way this connection takes. */
export async function selectConnection(database: Queryable): Promise<ConnectionFacts> {
  const { rows } = await database.query<ConnectionFacts>(
    `select current_setting('server_version') as version,
       current_setting('server_version_num')::integer as "versionNumber",
       case when inet_server_addr() is null then 'socket'
         when inet_server_addr() <<= '127.0.0.0/8' or inet_server_addr() = '::1' then 'loopback'
         else 'network' end as path,
       (select version || ' ' || cipher from pg_stat_ssl where pid = pg_backend_pid() and ssl) as tls`,
  )
  return the(rows)
}

/** The server's clock, read while the statement runs. */
export async function selectServerTime(database: Queryable): Promise<Date> {
  const { rows } = await database.query<{ at: Date }>('select clock_timestamp() as at')
  return the(rows).at
}

/** Installations that are not retired. */
export async function countInstallations(database: Queryable): Promise<number> {
  const { rows } = await database.query<{ count: number }>(
    'select count(*)::integer as count from cleverctl.installation where retired_at is null',
  )
  return the(rows).count
}

/** Codes of some of the installations meant, and how many there are in all. */
export interface SomeInstallations {
  total: number
  codes: string[]
}

const SHOWN = 5

/** Installations in use whose every key is revoked, retired, expired or was never made. */
export async function selectKeylessInstallations(
  database: Queryable,
  now: Date,
): Promise<SomeInstallations> {
  const { rows } = await database.query<{ code: string; total: number }>(
    `select code, count(*) over ()::integer as total from cleverctl.installation
     where retired_at is null and not exists (
       select from cleverctl.api_key as key
       where key.installation_id = installation.id
         and (key.state = 'CURRENT' or (key.state = 'GRACE' and key.grace_until > $1))
         and (key.expires_at is null or key.expires_at > $1)
     )
     order by code limit ${SHOWN}`,
    [now],
  )
  return { total: rows[0]?.total ?? 0, codes: rows.map(({ code }) => code) }
}

/** Installations in use whose key ends by itself between two moments, the soonest first. */
export async function selectExpiringKeys(
  database: Queryable,
  { now, until }: { now: Date; until: Date },
): Promise<SomeInstallations> {
  const { rows } = await database.query<{ code: string; total: number }>(
    `select installation.code, count(*) over ()::integer as total
     from cleverctl.api_key as key
     join cleverctl.installation on installation.id = key.installation_id
     where key.state = 'CURRENT' and key.expires_at > $1 and key.expires_at <= $2
       and installation.retired_at is null
     order by key.expires_at, installation.code limit ${SHOWN}`,
    [now, until],
  )
  return { total: rows[0]?.total ?? 0, codes: rows.map(({ code }) => code) }
}

/** Which months readings have a partition for. */
export interface Partitions {
  /** Whether there is one for any month: no gate ever ran where there is none. */
  any: boolean
  /** Months of the moments asked for, as `2026-06`, that have none. */
  missing: string[]
}

/** Looks for the partitions of the months in which some moments lie. */
export async function selectPartitions(
  database: Queryable,
  moments: readonly Date[],
): Promise<Partitions> {
  const { rows } = await database.query<Partitions>(
    `select exists (
         select from pg_inherits where inhparent = 'cleverctl.reading'::regclass
       ) as any,
       coalesce(array_agg(distinct to_char(moment, 'YYYY-MM')) filter (
         where to_regclass('cleverctl.reading_' || to_char(moment, 'YYYY_MM')) is null
       ), '{}') as missing
     from unnest($1::timestamptz[]) as asked (at), timezone('UTC', asked.at) as moment`,
    [moments],
  )
  return the(rows)
}

function the<Row>(rows: readonly Row[]): Row {
  const [row] = rows
  if (row === undefined) throw new TypeError('a select that always gives a row gave none')
  return row
}
