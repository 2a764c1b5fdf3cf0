import type { Database, Queryable, Transaction } from '../../../database/database.js'
import type { TrailHead } from '../../../trail/store.js'
import type { SessionFlag, ShownSession } from '../types.js'
import type { LedgerRow } from './row.js'

/** A session with the log that tells of it. */
export interface ReadSession {
  session: ShownSession
  log: string
}

/** Which sessions of the ledger are wanted: those that were not over before `since`. */
export interface LedgerFilter {
  since: Date
  who: string | undefined
  flag: SessionFlag | undefined
  server: string | undefined
}

/** What was seen before of roles that were let in. */
export interface KnownRoles {
  /** Role and address; an empty one for the unix socket. */
  addresses: [role: string, address: string][]
  applications: [role: string, application: string][]
}

/** Rows fetched at a time: some hundred kilobytes. */
const PAGE_ROWS = 1000
/** Far longer than any name; what a forged log has in their place may be of any length. */
const MOST_CHARACTERS = 1000
/** Pairs of a role and where it came from, or by what. */
const MOST_KNOWN = 100_000

const time = (column: string) =>
  `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`

const CHAINED = `seq::text as seq, ${time('recorded_at')} as "recordedAt", recorded_by as "recordedBy", server,
  session_id as id, ${time('started_at')} as start, ${time('ended_at')} as "end", outcome, who, role_name as role,
  database_name as database, application, method, rule, address, tls, is_replication::text as replication,
  failure_code as "failureCode", failure_reason as "failureReason", to_json(flags)::text as flags, log,
  encode(previous_hash, 'hex') as "previousHash", encode(hash, 'hex') as hash`

const SHOWN = `who, role_name as role, database_name as database, application, method, rule, address, tls,
  is_replication as replication, started_at as start, ended_at as "end", outcome,
  case when failure_reason is not null then json_build_object('code', failure_code, 'reason', failure_reason) end
    as failure,
  flags, server, split_part(session_id, ' ', 1) as id`

const WANTED = `from cleverctl.session_now
  where last_at >= $1 and ($2::text is null or who = $2) and ($3::text is null or $3 = any (flags))
    and ($4::text is null or server = $4)`

/**
 * Adds to the ledger what it does not know of these sessions yet.
 * @returns how many rows that were
 */
export async function appendSessions(
  transaction: Transaction,
  read: readonly ReadSession[],
): Promise<number> {
  const { rows } = await transaction.query<{ added: string }>(
    'select cleverctl.session_append($1) as added',
    [JSON.stringify(read.map(entryOf), storable)],
  )
  return Number(rows[0]?.added)
}

/** A process id alone is given to others later, so the start belongs to it. */
function entryOf({ session, log }: ReadSession): object {
  const { id, start } = session
  return { ...session, id: id.includes('.') ? id : `${id} ${start}`, log }
}

/** PostgreSQL takes neither NUL nor halves of surrogate pairs into text. */
function storable(_key: string, value: unknown): unknown {
  if (typeof value !== 'string') return value
  const whole = Buffer.from(value.slice(0, MOST_CHARACTERS), 'utf8').toString('utf8')
  return whole.replaceAll('\0', '\uFFFD')
}

/** The end of the chain; undefined when its row is gone. */
export async function selectLedgerHead(database: Queryable): Promise<TrailHead | undefined> {
  const { rows } = await database.query<TrailHead>(
    `select seq::text as seq, encode(hash, 'hex') as hash from cleverctl.session_head`,
  )
  return rows[0]
}

/** All rows of the ledger in the order of their numbers, page by page, in bounded memory. */
export async function* ledgerPages(transaction: Transaction): AsyncGenerator<LedgerRow[]> {
  await transaction.query(
    `declare ledger_rows no scroll cursor for select ${CHAINED} from cleverctl.session order by session.seq`,
  )
  for (;;) {
    const { rows } = await transaction.query<LedgerRow>(`fetch ${PAGE_ROWS} from ledger_rows`)
    if (rows.length > 0) yield rows
    if (rows.length < PAGE_ROWS) return
  }
}

/** Sessions of the ledger by their start: those that stand out first, then the latest, as many as `limit` says. */
export async function selectSessions(
  database: Queryable,
  { since, who, flag, server }: LedgerFilter,
  limit: number,
): Promise<ShownSession[]> {
  const { rows } = await database.query<Times<ShownSession>>(
    `select ${SHOWN} ${WANTED} order by cardinality(flags) = 0, started_at desc, seq desc limit $5`,
    [since, who, flag, server, limit],
  )
  return rows.map(shown).sort((one, other) => (one.start < other.start ? -1 : 1))
}

/** How many sessions there are, and how many of them stand out. */
export async function countWanted(
  database: Queryable,
  { since, who, flag, server }: LedgerFilter,
): Promise<{ total: number; flagged: number }> {
  const { rows } = await database.query<{ total: number; flagged: number }>(
    `select count(*)::int as total, count(*) filter (where cardinality(flags) > 0)::int as flagged ${WANTED}`,
    [since, who, flag, server],
  )
  return rows[0] ?? { total: 0, flagged: 0 }
}

/** The sessions that were recorded last, in that order. */
export async function selectLatest(database: Database, limit: number): Promise<ShownSession[]> {
  const { rows } = await database.query<Times<ShownSession>>(
    `select ${SHOWN} from cleverctl.session_now order by seq desc limit $1`,
    [limit],
  )
  return rows.map(shown).reverse()
}

/** From where each role came and by which applications. */
export async function selectKnownRoles(database: Database): Promise<KnownRoles> {
  const pairs = async (column: 'address' | 'application') => {
    const { rows } = await database.query<{ role: string; value: string }>(
      `select distinct role_name as role, coalesce(${column}, '') as value from cleverctl.session
      where role_name is not null and outcome in ('open', 'ended') limit ${MOST_KNOWN}`,
    )
    return rows.map(({ role, value }): [string, string] => [role, value])
  }
  return { addresses: await pairs('address'), applications: await pairs('application') }
}

type Times<Session> = Omit<Session, 'start' | 'end'> & { start: Date; end: Date | null }

function shown(row: Times<ShownSession>): ShownSession {
  return { ...row, start: row.start.toISOString(), end: row.end?.toISOString() ?? null }
}
