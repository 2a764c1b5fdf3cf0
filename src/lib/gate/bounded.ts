import type { PoolClient, QueryConfig, QueryResult, QueryResultRow } from 'pg'
import type { Database, Queryable } from '../database/database.js'
import { DeadlineError, withDeadline } from './deadline.js'

/** What a statement costs at most on the server, and what the gate waits for it in all. */
const STATEMENT_MS = 2_500
const ANSWER_MS = 3_000

/** More would only wait for the same few connections. */
const WAITING_MAX = 500

/** Too many statements wait already. */
export class BusyError extends Error {
  override readonly name = 'BusyError'
}

/**
 * The database as the gate asks it while somebody waits for an answer: nothing takes longer than three
 * seconds, whether the server is slow, a row is locked or the network swallows packets.
 */
export class BoundedDatabase implements Queryable {
  readonly #database: Database
  readonly #bounded = new WeakSet<PoolClient>()
  #waiting = 0

  /** @param database a pool that the gate shares with nobody: the sessions' settings are changed */
  constructor(database: Database) {
    this.#database = database
  }

  /** @throws BusyError, DeadlineError, and what the database throws */
  async query<Row extends QueryResultRow = QueryResultRow>(
    statement: string | QueryConfig,
    values?: unknown[],
  ): Promise<QueryResult<Row>> {
    if (this.#waiting >= WAITING_MAX) throw new BusyError('too many statements wait')
    this.#waiting += 1
    try {
      const until = performance.now() + ANSWER_MS
      const asked = this.#database.connection(async (client) => {
        // Whoever asked has gone; with the others that waited, this would only keep the server busy.
        if (performance.now() > until) throw new DeadlineError('the connection came too late')
        return this.#ask<Row>(client, statement, values)
      })
      return await withDeadline(asked, ANSWER_MS)
    } finally {
      this.#waiting -= 1
    }
  }

  async #ask<Row extends QueryResultRow>(
    client: PoolClient,
    statement: string | QueryConfig,
    values: unknown[] | undefined,
  ): Promise<QueryResult<Row>> {
    // A connection that does not answer is cut, so that it does not stay in the pool.
    const cut = setTimeout(() => {
      void client.end().catch(() => undefined)
      // The server would have cancelled the statement in time: it is the way to it that is broken.
      this.#database.distrust()
    }, ANSWER_MS)
    try {
      if (!this.#bounded.has(client)) {
        await client.query(`set statement_timeout = ${STATEMENT_MS}`)
        this.#bounded.add(client)
      }
      return await client.query<Row>(statement, values)
    } finally {
      clearTimeout(cut)
    }
  }
}
