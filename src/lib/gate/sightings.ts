import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.js'
import type { Queryable } from '../database/database.js'
import type { Actor } from '../trail/actor.js'
import { settleDueKeys, settleKeys, writeSightings, type Sighting } from './sighting-store.js'

const FLUSH_MS = 2_000
/** A device that was seen with this key before is written down so often; the first time counts at once. */
const REPEAT_MS = 60_000
/** Keys whose time has come are looked for so often. */
const SETTLE_MS = 30_000
/** Pairs of device and key whose last writing is remembered, some 100 bytes each. */
const RECENT_MAX = 200_000
/** One statement's worth. */
const BATCH = 5_000

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
  readonly #monotonic: () => number
  readonly #written = new LRUCache<string, number>({ max: RECENT_MAX })
  readonly #pending = new Map<string, Sighting>()
  #timers: NodeJS.Timeout[] = []
  #flushing: Promise<void> = Promise.resolve()

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
    this.#monotonic = given.monotonic ?? (() => performance.now())
  }

  /** Begins to write from time to time. */
  start(): void {
    this.#timers = [
      setInterval(() => void this.flush(), FLUSH_MS),
      setInterval(() => void this.#settleDue(), SETTLE_MS),
    ]
  }

  /** Writes what is left and stops. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    await this.flush({ everything: true })
  }

  /** Counts an accepted arrival, or a token that was given out; `readings` only where some came. */
  add({ deviceId, apiKeyId, address }: Seen, readings?: SeenReadings): void {
    const at = this.#clock.now()
    const name = `${deviceId} ${apiKeyId}`
    let sighting = this.#pending.get(name)
    if (sighting === undefined) {
      sighting = { deviceId, apiKeyId, address, firstAt: at, lastAt: at, arrivals: 0 }
      this.#pending.set(name, sighting)
    }
    sighting.lastAt = at
    sighting.address = address
    sighting.arrivals += 1
    if (readings === undefined) return
    const leadMs = Math.round(readings.newestAtMicros / 1000 - at.getTime())
    const { oldestAtMicros = readings.oldestAtMicros, leadMaxMs = leadMs } = sighting
    sighting.oldestAtMicros = Math.min(oldestAtMicros, readings.oldestAtMicros)
    sighting.leadMaxMs = Math.max(leadMaxMs, leadMs)
  }

  /** Writes what is due. Never throws. */
  async flush({ everything = false } = {}): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#write(everything))
    await this.#flushing
  }

  async #write(everything: boolean): Promise<void> {
    const before = this.#monotonic() - REPEAT_MS
    const due = [...this.#pending].filter(
      ([name]) => everything || (this.#written.get(name) ?? -Infinity) <= before,
    )
    for (let start = 0; start < due.length; start += BATCH) {
      const batch = due.slice(start, start + BATCH)
      for (const [name] of batch) this.#pending.delete(name)
      try {
        await this.#writeBatch(batch.map(([, sighting]) => sighting))
        for (const [name] of batch) this.#written.set(name, this.#monotonic())
      } catch (error) {
        for (const [name, sighting] of batch) this.#mergeBack(name, sighting)
        this.#onFailure(error)
        return
      }
    }
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

  #mergeBack(name: string, older: Sighting): void {
    const newer = this.#pending.get(name)
    if (newer === undefined) {
      this.#pending.set(name, older)
      return
    }
    newer.firstAt = older.firstAt
    newer.arrivals += older.arrivals
    if (older.oldestAtMicros !== undefined) {
      newer.oldestAtMicros = Math.min(newer.oldestAtMicros ?? Infinity, older.oldestAtMicros)
    }
    if (older.leadMaxMs !== undefined) {
      newer.leadMaxMs = Math.max(newer.leadMaxMs ?? -Infinity, older.leadMaxMs)
    }
  }
}
