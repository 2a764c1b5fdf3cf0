import { LRUCache } from 'lru-cache'

const FLUSH_MS = 2_000
/** Names whose last writing is remembered, some 100 bytes each. */
const RECENT_MAX = 200_000
/** One statement's worth. */
const BATCH = 5_000

/**
 * Keeps what is counted under a name in memory and writes it in batches: a new name within two seconds, a
 * known one every so often. What could not be written is kept for the next time.
 */
export class Batches<Entry> {
  readonly #repeatMs: number
  readonly #writeBatch: (batch: readonly Entry[]) => Promise<void>
  readonly #addOlder: (newer: Entry, older: Entry) => void
  readonly #onFailure: (error: unknown) => void
  readonly #monotonic: () => number
  readonly #written: LRUCache<string, number>
  readonly #pending = new Map<string, Entry>()
  #timer: NodeJS.Timeout | undefined
  #flushing: Promise<void> = Promise.resolve()

  /**
   * @param given.repeatMs how long a name that was written rests, in milliseconds
   * @param given.addOlder adds to an entry what was counted under its name before
   * @param given.onFailure told when something could not be written
   * @param given.monotonic a clock in milliseconds that nobody sets
   */
  constructor(given: {
    repeatMs: number
    write: (batch: readonly Entry[]) => Promise<void>
    addOlder: (newer: Entry, older: Entry) => void
    onFailure: (error: unknown) => void
    monotonic?: (() => number) | undefined
  }) {
    this.#repeatMs = given.repeatMs
    this.#writeBatch = given.write
    this.#addOlder = given.addOlder
    this.#onFailure = given.onFailure
    this.#monotonic = given.monotonic ?? (() => performance.now())
    this.#written = new LRUCache({ max: RECENT_MAX })
  }

  /** Begins to write from time to time. */
  start(): void {
    this.#timer = setInterval(() => void this.flush(), FLUSH_MS)
  }

  /** Writes what is left and stops. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.flush({ everything: true })
  }

  /** The entry that is counted under a name until it is written; made where there is none. */
  entry(name: string, make: () => Entry): Entry {
    const known = this.#pending.get(name)
    if (known !== undefined) return known
    const made = make()
    this.#pending.set(name, made)
    return made
  }

  /** Writes what is due. Never throws. */
  async flush({ everything = false } = {}): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#write(everything))
    await this.#flushing
  }

  async #write(everything: boolean): Promise<void> {
    const before = this.#monotonic() - this.#repeatMs
    const due = [...this.#pending].filter(
      ([name]) => everything || (this.#written.get(name) ?? -Infinity) <= before,
    )
    for (let start = 0; start < due.length; start += BATCH) {
      const batch = due.slice(start, start + BATCH)
      for (const [name] of batch) this.#pending.delete(name)
      try {
        await this.#writeBatch(batch.map(([, entry]) => entry))
        for (const [name] of batch) this.#written.set(name, this.#monotonic())
      } catch (error) {
        for (const [name, older] of batch) this.#putBack(name, older)
        this.#onFailure(error)
        return
      }
    }
  }

  #putBack(name: string, older: Entry): void {
    const newer = this.#pending.get(name)
    if (newer === undefined) this.#pending.set(name, older)
    else this.#addOlder(newer, older)
  }
}
