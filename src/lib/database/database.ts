import type { Pool, PoolClient, QueryConfig, QueryResult, QueryResultRow } from 'pg'

/** Anything a statement can be sent to. */
export interface Queryable {
  query<Row extends QueryResultRow = QueryResultRow>(
    statement: string | QueryConfig,
    values?: unknown[],
  ): Promise<QueryResult<Row>>
}

/** An open transaction. It ends when the function given to {@link Database.transaction} returns or throws. */
export interface Transaction extends Queryable {
  /** The connection itself, for COPY streams. Never end the transaction through it. */
  readonly client: PoolClient
}

/** Which database is in use and how it was chosen; `description` holds no secret. */
export interface DatabaseTarget {
  mode: 'embedded' | 'server'
  /** For people: `embedded in /home/…` or `postgres://user@host:port/name`. */
  description: string
  /** Name of the profile in use. */
  profile: string
}

/** The database of one command or one gate process. Statements run on a small pool of connections. */
export interface Database extends Queryable {
  readonly target: DatabaseTarget
  /**
   * Runs `work` in one transaction and commits what it returns; rolls back when it throws.
   * `beforeCommit` of a secret's delivery happens inside `work`, so a failed delivery rolls back.
   */
  transaction<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result>
  /** Lends one connection outside any transaction (LISTEN, advisory locks, cursors). */
  connection<Result>(work: (client: PoolClient) => Promise<Result>): Promise<Result>
  /**
   * Gives up the connections that nobody uses and looks for the server anew at the next use: one of them did
   * not answer, so the others lead nowhere either.
   */
  distrust(): void
  /** The driver's own pool, for a library that wants one. It goes when the server is replaced by another. */
  pool(): Promise<Pool>
  /** Closes every connection. The embedded server itself goes on running. */
  close(): Promise<void>
}
