import type { PoolConfig } from 'pg'

/** One way to a server: what the driver needs and the place in words, without a password. */
export interface Route {
  config: PoolConfig & { host: string; port: number; user: string }
  place: string
}

/** Knows how to get to the database. */
export interface Routes {
  /**
   * The ways to try, in order.
   * @param failure why the last one given did not work; undefined at first. An empty answer means
   * that nothing more can be done about it.
   */
  next(failure: unknown): Promise<readonly Route[]>
  /** A statement answering `answer` = whether a reached server will do (a standby may not); undefined where any does. */
  readonly question: string | undefined
}

/** Enough for a command; a gate asks for more. */
const DEFAULT_MAX_CONNECTIONS = 5
/** A lock held longer belongs to something stuck; waiting on would look like a hang. */
const LOCK_TIMEOUT_MS = 30_000
/** Far above any statement of a command; bulk work sets its own by `set local`. */
const STATEMENT_TIMEOUT_MS = 600_000
/** A transaction that waits so long for its client holds locks for nobody. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 300_000
/**
 * PostgreSQL takes small tables that it knows nothing of for big ones, and would compile a statement about a row or two,
 * for longer than the statement takes.
 */
const SESSION_OPTIONS = '-c TimeZone=UTC -c DateStyle=ISO -c IntervalStyle=postgres -c jit=off'
/**
 * More of them, for servers of others: names mean what is PostgreSQL's own. The owner of a database may set a search_path
 * in which they mean what the owner put there, and it would run with the rights of whoever connects.
 */
export const PLAIN_NAMES = '-c search_path=pg_catalog'
const IDLE_TIMEOUT_MS = 10_000
const KEEP_ALIVE_AFTER_MS = 10_000

/**
 * What every connection has in common, embedded or not. Dates in UTC and ISO, whatever the server's
 * own settings are. Everything is given so that the driver does not look into the environment.
 */
export function commonConfig(given: {
  maxConnections: number | undefined
  options: string | undefined
}): PoolConfig {
  return {
    max: given.maxConnections ?? DEFAULT_MAX_CONNECTIONS,
    allowExitOnIdle: true,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    lock_timeout: LOCK_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    sslnegotiation: 'postgres',
    options: `${SESSION_OPTIONS} ${given.options ?? ''}`.trim(),
  }
}
