import { SqlState, sqlStateOf } from '../database/sqlstate.js'
import type { Queryable } from '../database/database.js'
import {
  ensurePartition,
  insertReadings,
  readingName,
  type DeviceReadings,
  type Stored,
} from './reading-store.js'
import type { Reading } from './readings.js'

/** How long a first arrival waits for others to share its commit with, in milliseconds. */
const LINGER_MS = 2
/** Beyond this many rows a larger statement is no faster. An arrival is never split. */
const BATCH_ROWS_MAX = 1_000
/** While one batch waits for the disk the next one is parsed. */
const WRITERS = 2
/** What may wait: some seconds of a busy gate, and a bound on memory. */
const WAITING_ROWS_MAX = 20_000
const WAITING_BYTES_MAX = 32 * 1024 * 1024
/** Whoever waited so long without a turn is sent away: the database has stopped, not slowed down. */
const WAITING_MS_MAX = 3_000

/** What became of the readings of one arrival. */
export interface Receipt {
  accepted: number
  duplicates: number
}

/** The database does not keep up; nothing of the arrival was taken in. */
export class QueueFullError extends Error {
  override readonly name = 'QueueFullError'
}

interface Waiting extends DeviceReadings {
  bytes: number
  since: number
  resolve: (receipt: Receipt) => void
  reject: (error: unknown) => void
}

/**
 * Stores the readings of many arrivals together: one statement and one commit for all that came within
 * two milliseconds, or while the writers were busy.
 */
export class ReadingWriter {
  readonly #database: Queryable
  readonly #waiting: Waiting[] = []
  readonly #months = new Set<number>()
  #waitingRows = 0
  #waitingBytes = 0
  #writing = 0
  #isLingering = false
  #onIdle: (() => void) | undefined

  constructor(database: Queryable) {
    this.#database = database
  }

  /** Readings that wait for their commit. */
  get waitingRows(): number {
    return this.#waitingRows
  }

  /**
   * Stores the readings of one arrival.
   * @param bytes size of its body, for the bound on memory
   * @returns after the commit
   * @throws QueueFullError; or what the database threw, and then nothing is known to be stored
   */
  async write(arrival: DeviceReadings, bytes: number): Promise<Receipt> {
    const rows = arrival.readings.length
    if (
      this.#waitingRows + rows > WAITING_ROWS_MAX ||
      this.#waitingBytes + bytes > WAITING_BYTES_MAX
    ) {
      throw new QueueFullError('too many readings wait')
    }
    this.#waitingRows += rows
    this.#waitingBytes += bytes
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...arrival, bytes, since: performance.now(), resolve, reject })
      if (this.#isLingering) return
      this.#isLingering = true
      setTimeout(() => {
        this.#isLingering = false
        this.#write()
      }, LINGER_MS)
    })
  }

  /** Makes the partitions of these moments' months ahead of the first reading. */
  async prepare(moments: readonly Date[]): Promise<void> {
    for (const moment of moments) await this.#ensureMonth(moment)
  }

  /** Waits until everything taken in is written. */
  async drain(): Promise<void> {
    if (this.#waitingRows === 0) return
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve
    })
  }

  #write(): void {
    this.#sendAway()
    while (this.#writing < WRITERS && this.#waiting.length > 0) {
      const batch = this.#takeBatch()
      this.#writing += 1
      void this.#writeBatch(batch).finally(() => {
        this.#writing -= 1
        this.#forget(batch)
        this.#write()
        if (this.#waitingRows === 0) this.#onIdle?.()
      })
    }
  }

  #takeBatch(): Waiting[] {
    let rows = 0
    const full = this.#waiting.findIndex((arrival, index) => {
      rows += arrival.readings.length
      return index > 0 && rows > BATCH_ROWS_MAX
    })
    return this.#waiting.splice(0, full === -1 ? this.#waiting.length : full)
  }

  #sendAway(): void {
    const oldest = performance.now() - WAITING_MS_MAX
    const fresh = this.#waiting.findIndex(({ since }) => since >= oldest)
    const late = this.#waiting.splice(0, fresh === -1 ? this.#waiting.length : fresh)
    for (const arrival of late) arrival.reject(new QueueFullError('waited too long'))
    this.#forget(late)
  }

  #forget(arrivals: readonly Waiting[]): void {
    for (const { readings, bytes } of arrivals) {
      this.#waitingRows -= readings.length
      this.#waitingBytes -= bytes
    }
  }

  async #writeBatch(batch: readonly Waiting[]): Promise<void> {
    // The first to send a reading owns it; the same reading again, in the batch, is a duplicate.
    const owned = new Map<string, { arrival: Waiting; reading: Reading }>()
    for (const arrival of batch) {
      for (const reading of arrival.readings) {
        const name = readingName(arrival.deviceId, reading.atMicros)
        if (!owned.has(name)) owned.set(name, { arrival, reading })
      }
    }
    try {
      const stored = await this.#store([...owned.values()])
      const accepted = new Map<Waiting, number>()
      for (const [name, { arrival }] of owned) {
        if (stored !== 'all' && !stored.has(name)) continue
        accepted.set(arrival, (accepted.get(arrival) ?? 0) + 1)
      }
      for (const arrival of batch) {
        const count = accepted.get(arrival) ?? 0
        arrival.resolve({ accepted: count, duplicates: arrival.readings.length - count })
      }
    } catch (error) {
      for (const arrival of batch) arrival.reject(error)
    }
  }

  async #store(owned: readonly { arrival: Waiting; reading: Reading }[]): Promise<Stored> {
    const rows = owned.map(({ arrival, reading }) => ({
      deviceId: arrival.deviceId,
      installationId: arrival.installationId,
      reading,
    }))
    const moments = rows.map(({ reading }) => new Date(reading.atMicros / 1000))
    await this.prepare(moments)
    try {
      return await insertReadings(this.#database, rows)
    } catch (error) {
      if (!isRolledBack(error)) throw error
      // Somebody dropped the partition since, or two gates stood in each other's way.
      this.#months.clear()
      await this.prepare(moments)
      return insertReadings(this.#database, rows)
    }
  }

  async #ensureMonth(moment: Date): Promise<void> {
    const month = moment.getUTCFullYear() * 12 + moment.getUTCMonth()
    if (this.#months.has(month)) return
    await ensurePartition(this.#database, moment)
    this.#months.add(month)
  }
}

/**
 * Whether the statement is known to have stored nothing and may do better now. After a lost connection
 * nobody knows, and a second try would call the first one's readings duplicates.
 */
function isRolledBack(error: unknown): boolean {
  const state = sqlStateOf(error)
  return (
    state === SqlState.CHECK_VIOLATION || // no partition for the row
    state === SqlState.DEADLOCK_DETECTED ||
    state === SqlState.SERIALIZATION_FAILURE
  )
}
