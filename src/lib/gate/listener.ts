import { setTimeout as delay } from 'node:timers/promises'
import type { PoolClient, QueryResultRow } from 'pg'
import type { Workspace } from '../workspace.js'
import type { Memory } from './memory.js'
import { DeadlineError, withDeadline } from './deadline.js'

const HEARTBEAT_MS = 250
/** A heartbeat without an answer for so long means that the connection is gone, whatever TCP believes. */
const ANSWER_MS = 1_000
/** Waiting time before the next attempt to connect, doubled each time, half of it random. */
const RECONNECT_MIN_MS = 50
const RECONNECT_MAX_MS = 2_000

/** A server that takes no changes hears of none: the primary is another one, and so are the notifications. */
const HEARTBEAT = `select pg_is_in_recovery() or current_setting('transaction_read_only') = 'on' as "isReadOnly"`

/** The name of the listening connection in pg_stat_activity. */
const APPLICATION_NAME = 'cleverctl gate listener'

/** The server that is listened to is no primary any more. */
class ReadOnlyError extends Error {
  override readonly name = 'ReadOnlyError'
}

/**
 * Holds the connection on which PostgreSQL tells what became untrue, and vouches for the memory while
 * that connection is known to work. Reconnects for ever, with waits that keep a fleet of gates from
 * coming back in step.
 */
export class Listener {
  readonly #workspace: Workspace
  readonly #memory: Memory
  readonly #onChange: (payload: string) => void
  readonly #monotonic: () => number
  readonly #stopping = new AbortController()
  #running: Promise<void> | undefined

  /** @param given.onChange called with each notification, after the memory was told, and with '' when any may have been missed */
  constructor(given: {
    workspace: Workspace
    memory: Memory
    onChange: (payload: string) => void
    monotonic?: () => number
  }) {
    this.#workspace = given.workspace
    this.#memory = given.memory
    this.#onChange = given.onChange
    this.#monotonic = given.monotonic ?? (() => performance.now())
  }

  /** Begins to listen; returns at once. */
  start(): void {
    this.#running ??= this.#run()
  }

  /** Stops listening and forgets everything. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { database, log } = this.#workspace
    const { signal } = this.#stopping
    let wait = RECONNECT_MIN_MS
    while (!signal.aborted) {
      try {
        await database.connection((client) =>
          this.#listen(client, () => {
            wait = RECONNECT_MIN_MS
          }),
        )
      } catch (error) {
        if (error instanceof DeadlineError || error instanceof ReadOnlyError) database.distrust()
        log.debug(
          `the listening connection failed: ${error instanceof Error ? error.name : 'unknown'}`,
        )
      }
      this.#forget()
      if (signal.aborted) return
      log.warn('the connection for notifications is lost; every decision asks the database')
      await delay(wait * (0.5 + this.#fraction() / 2), undefined, { signal }).catch(() => undefined)
      wait = Math.min(wait * 2, RECONNECT_MAX_MS)
    }
  }

  /** Listens until the connection breaks (throws) or the gate stops (returns). */
  async #listen(client: PoolClient, onAttached: () => void): Promise<void> {
    const { signal } = this.#stopping
    const lost = new AbortController()
    const lose = () => {
      lost.abort()
      this.#forget()
    }
    client.on('error', lose)
    client.on('end', lose)
    client.on('notification', ({ payload = '' }) => {
      this.#memory.invalidate(payload)
      this.#onChange(payload)
    })
    try {
      await this.#ask(client, `set application_name = '${APPLICATION_NAME}'`)
      await this.#ask(client, 'listen cleverctl_gate')
      this.#forget()
      const either = AbortSignal.any([signal, lost.signal])
      while (!signal.aborted) {
        const sentAt = this.#monotonic()
        const { rows } = await this.#ask<{ isReadOnly: boolean }>(client, HEARTBEAT)
        if (rows[0]?.isReadOnly !== false)
          throw new ReadOnlyError('the server has become read-only')
        this.#memory.vouch(sentAt)
        onAttached()
        await delay(HEARTBEAT_MS, undefined, { signal: either }).catch(() => undefined)
        if (lost.signal.aborted) throw new Error('the listening connection was lost')
      }
    } finally {
      lose()
      // It holds a LISTEN and a name of its own, so it never goes back to the pool.
      void client.end().catch(() => undefined)
    }
  }

  async #ask<Row extends QueryResultRow>(client: PoolClient, statement: string) {
    return withDeadline(client.query<Row>(statement), ANSWER_MS)
  }

  #forget(): void {
    this.#memory.distrust()
    this.#onChange('')
  }

  #fraction(): number {
    return this.#workspace.random.bytes(1).readUInt8() / 256
  }
}
