import type { Clock } from '../clock.js'
import type { Queryable } from '../database/database.js'
import { Batches } from './batches.js'

/** A device says the same with every request; it is written once, and again in case somebody's clock went wrong. */
const REPEAT_MS = 60 * 60_000

/** A device that uses a version of its installation's Wi-Fi passphrase. */
interface WifiMove {
  deviceId: string
  installationId: string
  version: number
  at: Date
}

/** Writes down which devices have moved to a new Wi-Fi passphrase. Counted in memory, written every two seconds. */
export class WifiMoves {
  readonly #clock: Clock
  readonly #batches: Batches<WifiMove>

  /** @param given.onFailure told when something could not be written; it is kept for the next time */
  constructor(given: { database: Queryable; clock: Clock; onFailure: (error: unknown) => void }) {
    this.#clock = given.clock
    this.#batches = new Batches({
      repeatMs: REPEAT_MS,
      write: async (batch) => {
        const moves = batch.map(({ deviceId, installationId, version, at }) => ({
          ...{ d: deviceId, i: installationId, v: version, t: at },
        }))
        await given.database.query({
          name: 'gate_wifi_moved',
          text: 'select cleverctl.wifi_moved($1)',
          values: [JSON.stringify(moves)],
        })
      },
      addOlder: (newer, older) => {
        newer.at = older.at
      },
      onFailure: given.onFailure,
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

  /** Counts a device that was let in and says which version it uses. */
  add(deviceId: string, installationId: string, version: number): void {
    this.#batches.entry(`${deviceId} ${version}`, () => ({
      ...{ deviceId, installationId, version, at: this.#clock.now() },
    }))
  }
}
