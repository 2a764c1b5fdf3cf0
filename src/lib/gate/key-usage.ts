import type { Queryable } from '../database/database.js'
import { storableAddress } from './address.js'

const FLUSH_MS = 2_000

interface Usage {
  count: number
  firstAt: Date
  lastAt: Date
  address: string
}

/** Counts the use of API keys in memory and adds it to their rows every two seconds. */
export class KeyUsage {
  readonly #database: Queryable
  readonly #onFailure: (error: unknown) => void
  #pending = new Map<string, Usage>()
  #timer: NodeJS.Timeout | undefined
  #flushing: Promise<void> | undefined

  /** @param given.onFailure told when the counts could not be written; they are kept for the next time */
  constructor(given: { database: Queryable; onFailure: (error: unknown) => void }) {
    this.#database = given.database
    this.#onFailure = given.onFailure
  }

  /** Begins to write from time to time. */
  start(): void {
    this.#timer = setInterval(() => void this.flush(), FLUSH_MS)
  }

  /** Writes what is left and stops. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.flush()
  }

  /** Counts an accepted request with a key. */
  add(keyRowId: string, at: Date, address: string): void {
    const usage = this.#pending.get(keyRowId)
    if (usage === undefined) {
      this.#pending.set(keyRowId, { count: 1, firstAt: at, lastAt: at, address })
      return
    }
    usage.count += 1
    usage.lastAt = at
    usage.address = address
  }

  /** Writes the counts. Never throws. */
  async flush(): Promise<void> {
    await this.#flushing
    if (this.#pending.size === 0) return
    const writing = this.#pending
    this.#pending = new Map()
    this.#flushing = addKeyUsage(this.#database, writing)
      .catch((error: unknown) => {
        for (const [id, usage] of writing) this.#mergeBack(id, usage)
        this.#onFailure(error)
      })
      .finally(() => {
        this.#flushing = undefined
      })
    await this.#flushing
  }

  #mergeBack(id: string, usage: Usage): void {
    const newer = this.#pending.get(id)
    const merged = newer
      ? { ...newer, count: newer.count + usage.count, firstAt: usage.firstAt }
      : usage
    this.#pending.set(id, merged)
  }
}

async function addKeyUsage(
  queryable: Queryable,
  usages: ReadonlyMap<string, Usage>,
): Promise<void> {
  const document = [...usages].map(([id, { count, firstAt, lastAt, address }]) => ({
    id,
    count,
    firstAt,
    lastAt,
    address: storableAddress(address),
  }))
  // The rows are locked in the order of their ids, so that two gates wait for each other and never both.
  await queryable.query({
    name: 'gate_add_key_usage',
    text: `with used as (
        select key.id, sent."count", sent."firstAt", sent."lastAt", sent."address"
        from jsonb_to_recordset($1::jsonb) as sent (id bigint, "count" bigint, "firstAt" timestamptz,
          "lastAt" timestamptz, "address" inet)
        join cleverctl.api_key as key on key.id = sent.id
        order by key.id
        for no key update of key
      )
      update cleverctl.api_key as key set
        first_used_at = least(key.first_used_at, used."firstAt"),
        last_used_at = greatest(key.last_used_at, used."lastAt"),
        last_used_address = used."address",
        use_count = key.use_count + used."count"
      from used where used.id = key.id`,
    values: [JSON.stringify(document)],
  })
}
