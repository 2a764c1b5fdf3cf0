import type { Clock } from '../clock.js'
import type { Queryable } from '../database/database.js'
import { storableNetwork } from './address.js'
import { removeOldAddresses, writeAddresses, type UsedAddress } from './address-store.js'
import { Batches } from './batches.js'

/** Often enough to see that two places take turns, seldom enough to cost a fleet little. */
const REPEAT_MS = 5 * 60_000

/**
 * Writes down from which addresses a device was heard, so that an audit finds one identity at two places.
 * Counted in memory, written every two seconds.
 */
export class Addresses {
  readonly #clock: Clock
  readonly #batches: Batches<UsedAddress>

  /** @param given.onFailure told when something could not be written; it is kept for the next time */
  constructor(given: {
    database: Queryable
    clock: Clock
    onFailure: (error: unknown) => void
    monotonic?: () => number
  }) {
    this.#clock = given.clock
    this.#batches = new Batches({
      repeatMs: REPEAT_MS,
      write: async (batch) => {
        const moved = await writeAddresses(given.database, batch)
        if (moved.length === 0) return
        // A failure here is made good with the next new address.
        await removeOldAddresses(given.database, moved).catch(given.onFailure)
      },
      addOlder: (newer, older) => {
        newer.firstAt = older.firstAt
        newer.arrivals += older.arrivals
      },
      onFailure: given.onFailure,
      monotonic: given.monotonic,
    })
  }

  /** Begins to write from time to time. */
  start(): void {
    this.#batches.start()
  }

  /** Writes what is left and stops. */
  async stop(): Promise<void> {
    await this.#batches.stop()
  }

  /** Counts an accepted arrival, or a token that was given out. */
  add(deviceId: string, address: string): void {
    const network = storableNetwork(address)
    if (network === null) return
    const at = this.#clock.now()
    const used = this.#batches.entry(`${deviceId} ${network}`, () => ({
      deviceId,
      address: network,
      firstAt: at,
      lastAt: at,
      arrivals: 0,
    }))
    used.lastAt = at
    used.arrivals += 1
  }

  /** Writes what is due. Never throws. */
  async flush(options?: { everything: boolean }): Promise<void> {
    await this.#batches.flush(options)
  }
}
