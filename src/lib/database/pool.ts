import pLimit, { type LimitFunction } from 'p-limit'
import type { Pool, PoolClient, QueryConfig, QueryResult, QueryResultRow } from 'pg'
import { UnreachableError } from '../errors.js'
import type { Log } from '../workspace.js'
import { processIdOf } from './backend.js'
import type { Database, DatabaseTarget, Transaction } from './database.js'
import type { Routes } from './route.js'
import { isSqlState, SqlState } from './sqlstate.js'
import { connectionLost, translateError } from './translate.js'
import { connectFailure, findWay, isServerGone } from './way.js'
import type { Way } from './way.js'

type Translate = (error: unknown) => unknown

/** A {@link Database} on a pool of connections, over whichever of its routes works. */
export class PooledDatabase implements Database {
  readonly target: DatabaseTarget
  readonly #routes: Routes
  readonly #log: Log
  readonly #signal: AbortSignal | undefined
  readonly #line: LimitFunction | undefined
  readonly #onClose: (() => Promise<void>) | undefined
  readonly #lent = new Map<PoolClient, Way>()
  #way: Way | undefined
  #search: Promise<Way> | undefined

  /**
   * @param given.signal when aborted, the statements running at that moment are cancelled
   * @param given.atOnce see `OpenOptions`
   * @param given.onClose gives up what the connections went through, after them
   */
  constructor(given: {
    target: DatabaseTarget
    routes: Routes
    log: Log
    signal: AbortSignal | undefined
    atOnce?: number | undefined
    onClose?: () => Promise<void>
  }) {
    this.#onClose = given.onClose
    this.target = given.target
    this.#routes = given.routes
    this.#log = given.log
    this.#signal = given.signal
    this.#line = given.atOnce === undefined ? undefined : pLimit(given.atOnce)
    this.#signal?.addEventListener('abort', this.#cancelRunning)
  }

  async query<Row extends QueryResultRow = QueryResultRow>(
    statement: string | QueryConfig,
    values?: unknown[],
  ): Promise<QueryResult<Row>> {
    return this.#lend((client) => client.query<Row>(statement, values))
  }

  async connection<Result>(work: (client: PoolClient) => Promise<Result>): Promise<Result> {
    // Whoever keeps one for as long as a run takes would keep its place in line as well.
    return this.#lendNow(work)
  }

  async transaction<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return this.#lend(async (client, translate) => {
      await client.query('begin')
      try {
        const result = await work(transactionOn(client, translate))
        const { command } = await client.query('commit')
        // PostgreSQL answers a commit after a failed statement with ROLLBACK and no error.
        if (command !== 'COMMIT') throw new Error('a transaction went on after a failed statement')
        return result
      } catch (error) {
        const reason = translate(error)
        await client.query('rollback').catch(() => undefined)
        throw reason
      }
    })
  }

  distrust(): void {
    if (this.#way !== undefined) this.#retire(this.#way)
  }

  async pool(): Promise<Pool> {
    return (this.#way ?? (await this.#find())).pool
  }

  async close(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#cancelRunning)
    const way = this.#way
    this.#way = undefined
    await way?.pool.end()
    await this.#onClose?.()
  }

  /** Lends a connection when its turn comes. */
  async #lend<Result>(
    work: (client: PoolClient, translate: Translate) => Promise<Result>,
  ): Promise<Result> {
    // The pool's own queue ends after the time that a server may take, which has nothing to do with its length.
    return this.#line === undefined ? this.#lendNow(work) : this.#line(() => this.#lendNow(work))
  }

  /** What goes wrong on a connection leaves translated; a broken one leaves the pool. */
  async #lendNow<Result>(
    work: (client: PoolClient, translate: Translate) => Promise<Result>,
  ): Promise<Result> {
    const { client, way } = await this.#connect()
    const { route } = way
    let isBroken = false
    let isReadOnly = false
    // A lent connection that dies emits `error`, which would end the process if nobody heard it.
    const markBroken = (): void => {
      isBroken = true
    }
    const translate: Translate = (error) => {
      const translated = translateError(error, {
        place: route.place,
        role: route.config.user,
        isConnecting: false,
        signal: this.#signal,
      })
      const isPlain = translated === error && error instanceof Error && error.name === 'Error'
      return isBroken && isPlain ? connectionLost(route.place) : translated
    }
    client.on('error', markBroken)
    this.#lent.set(client, way)
    try {
      return await work(client, translate)
    } catch (error) {
      isReadOnly = isSqlState(error, SqlState.READ_ONLY_TRANSACTION)
      throw translate(error)
    } finally {
      this.#lent.delete(client)
      client.release(isBroken || isReadOnly)
      // The server has changed its part under a living connection: another one is the primary now.
      if (isReadOnly) this.#retire(way)
      client.removeListener('error', markBroken)
    }
  }

  async #connect(): Promise<{ client: PoolClient; way: Way }> {
    const way = this.#way ?? (await this.#find())
    const { pool, route } = way
    try {
      return { client: await pool.connect(), way }
    } catch (error) {
      // The pool's wait for one of its connections ends with the same kind of error as its wait for
      // a server; only when all are lent it was the former.
      const lent = [...this.#lent.values()].filter((each) => each === way).length
      if (lent >= (route.config.max ?? 0))
        throw new UnreachableError(
          'database-busy',
          `all ${lent} connections to ${route.place} are in use`,
        )
      if (!isServerGone(error)) throw connectFailure(error, route, this.#signal)
      this.#log.debug(`the connection to ${route.place} failed, looking for the server again`)
      const other = this.#way === way || this.#way === undefined ? await this.#find() : this.#way
      try {
        return { client: await other.pool.connect(), way: other }
      } catch (again) {
        throw connectFailure(again, other.route, this.#signal)
      }
    }
  }

  /** Whoever has a connection of this way keeps it; the next ones are looked for. */
  #retire(way: Way): void {
    if (this.#way === way) this.#way = undefined
    void way.pool.end().catch(() => undefined)
  }

  /** Finds a route that works; callers at the same time share one search. */
  async #find(): Promise<Way> {
    this.#search ??= findWay(this.#routes, { log: this.#log, signal: this.#signal })
      .then((way) => {
        void this.#way?.pool.end().catch(() => undefined)
        this.#way = way
        return way
      })
      .finally(() => {
        this.#search = undefined
      })
    return this.#search
  }

  readonly #cancelRunning = (): void => {
    void this.#cancel()
  }

  /** Asks the server to stop what runs; where it cannot be asked, cuts the connections. */
  async #cancel(): Promise<void> {
    const way = this.#way
    const lent = [...this.#lent.keys()]
    if (way === undefined || lent.length === 0) return
    const { default: pg } = await import('pg')
    const messenger = new pg.Client(way.route.config)
    messenger.on('error', () => undefined)
    try {
      await messenger.connect()
      await messenger.query('select pg_cancel_backend(pid) from unnest($1::int[]) as pid', [
        lent.map(processIdOf),
      ])
      await messenger.end()
    } catch {
      for (const client of lent) client.end().catch(() => undefined)
    }
  }
}

function transactionOn(client: PoolClient, translate: Translate): Transaction {
  return {
    client,
    query: async (statement, values) => {
      try {
        return await client.query(statement, values)
      } catch (error) {
        throw translate(error)
      }
    },
  }
}
