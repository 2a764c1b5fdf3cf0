import type { Clock } from '../clock.js'
import type { Queryable } from '../database/database.js'
import type { Actor } from '../trail/actor.js'
import { Batches } from './batches.js'
import { settleDueKeys, settleKeys, writeSightings, type Sighting } from './sighting-store.js'

/** A device that was seen with this key before is written down so often; the first time counts at once. */
const REPEAT_MS = 60_000
/** Keys whose time has come are looked for so often. */
const SETTLE_MS = 30_000

/** Where and when a device was let in. */
export interface Seen {
  deviceId: string
  apiKeyId: string
  address: string
}

/** What the readings of one arrival say about the device's clock. Times in microseconds since 1970. */
export interface SeenReadings {
  oldestAtMicros: number
  newestAtMicros: number
}

/**
 * Writes down which device was seen with which key, and ends former keys as soon as their devices
 * have been seen with the new one. Counted in memory, written every two seconds.
 */
export class Sightings {
  readonly #database: Queryable
  readonly #clock: Clock
  readonly #actor: Actor
  readonly #onFailure: (error: unknown) => void
  readonly #batches: Batches<Sighting>
  #timer: NodeJS.Timeout | undefined

  /** @param given.onFailure told when something could not be written; it is kept for the next time */
  constructor(given: {
    database: Queryable
    clock: Clock
    actor: Actor
    onFailure: (error: unknown) => void
    monotonic?: () => number
  }) {
    this.#database = given.database
    this.#clock = given.clock
    this.#actor = given.actor
    this.#onFailure = given.onFailure
    this.#batches = new Batches({
      repeatMs: REPEAT_MS,
      write: (batch) => this.#writeBatch(batch),
      addOlder,
      onFailure: given.onFailure,
      monotonic: given.monotonic,
    })
  }

  /** Begins to write from time to time. */
  start(): void {
    this.#batches.start()
    this.#timer = setInterval(() => void this.#settleDue(), SETTLE_MS)
  }

  /** Writes what is left and stops. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#batches.stop()
  }

  /** Counts an accepted arrival, or a token that was given out; `readings` only where some came. */
  add({ deviceId, apiKeyId, address }: Seen, readings?: SeenReadings): void {
    const at = this.#clock.now()
    const sighting = this.#batches.entry(`${deviceId} ${apiKeyId}`, () => ({
      deviceId,
      apiKeyId,
      address,
      firstAt: at,
      lastAt: at,
      arrivals: 0,
    }))
    sighting.lastAt = at
    sighting.address = address
    sighting.arrivals += 1
    if (readings === undefined) return
    const leadMs = Math.round(readings.newestAtMicros / 1000 - at.getTime())
    const { oldestAtMicros = readings.oldestAtMicros, leadMaxMs = leadMs } = sighting
    sighting.oldestAtMicros = Math.min(oldestAtMicros, readings.oldestAtMicros)
    sighting.leadMaxMs = Math.max(leadMaxMs, leadMs)
    sighting.leadArrivals = (sighting.leadArrivals ?? 0) + 1
  }

  /** Writes what is due. Never throws. */
  async flush(options?: { everything: boolean }): Promise<void> {
    await this.#batches.flush(options)
  }

  async #writeBatch(batch: readonly Sighting[]): Promise<void> {
    const adopting = await writeSightings(this.#database, batch)
    if (adopting.length === 0) return
    // A failure here is made good by the next look at what is due.
    await settleKeys(this.#database, adopting, this.#clock.now(), this.#actor).catch(
      this.#onFailure,
    )
  }

  async #settleDue(): Promise<void> {
    await settleDueKeys(this.#database, this.#clock.now(), this.#actor).catch(this.#onFailure)
  }
}

function addOlder(newer: Sighting, older: Sighting): void {
  newer.firstAt = older.firstAt
  newer.arrivals += older.arrivals
  if (older.oldestAtMicros !== undefined) {
    newer.oldestAtMicros = Math.min(newer.oldestAtMicros ?? Infinity, older.oldestAtMicros)
  }
  if (older.leadMaxMs !== undefined) {
    newer.leadMaxMs = Math.max(newer.leadMaxMs ?? -Infinity, older.leadMaxMs)
  }
  if (older.leadArrivals !== undefined) {
    newer.leadArrivals = (newer.leadArrivals ?? 0) + older.leadArrivals
  }
}
