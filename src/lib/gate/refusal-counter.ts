import type { Clock } from '../clock.js'
import type { Queryable } from '../database/database.js'
import { storableAddress } from './address.js'
import type { Refusal } from './arrivals.js'
import { addRefusals, pruneRefusals, type RefusalGroup } from './refusal-store.js'

/** An engineer who looks at once sees it. */
const FLUSH_MS = 200
const PRUNE_MS = 60 * 60_000
const KEPT_MS = 30 * 24 * 60 * 60_000
const HOUR_MS = 60 * 60_000

/**
 * Groups an hour in one process. An attacker who varies what is counted fills these and no more; what
 * comes then is counted by code and route alone.
 */
const GROUPS_MAX = 1_000

/** Where and by whom an arrival was refused. */
export interface RefusedRequest {
  route: string
  address: string
  requestId: string
}

/** Counts refused arrivals in memory and adds them to the database five times a second. */
export class RefusalCounter {
  readonly #database: Queryable
  readonly #clock: Clock
  readonly #onFailure: (error: unknown) => void
  #pending = new Map<string, RefusalGroup>()
  #seen = new Set<string>()
  #seenHour = 0
  #timers: NodeJS.Timeout[] = []
  #flushing: Promise<void> | undefined

  /** @param given.onFailure told when the counts could not be written; they are kept for the next time */
  constructor(given: { database: Queryable; clock: Clock; onFailure: (error: unknown) => void }) {
    this.#database = given.database
    this.#clock = given.clock
    this.#onFailure = given.onFailure
  }

  /** Begins to write from time to time. */
  start(): void {
    this.#timers = [
      setInterval(() => void this.flush(), FLUSH_MS),
      setInterval(() => void this.#prune(), PRUNE_MS),
    ]
    void this.#prune()
  }

  /** Writes what is left and stops. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    await this.flush()
  }

  /** Counts a refusal. */
  add(refusal: Refusal, request: RefusedRequest): void {
    const now = this.#clock.now()
    const hour = Math.floor(now.getTime() / HOUR_MS) * HOUR_MS
    const group: RefusalGroup = {
      hour: new Date(hour),
      code: refusal.code,
      requirement: refusal.requirement,
      route: request.route,
      installationId: refusal.installationId ?? null,
      serial: refusal.serial ?? null,
      keyId: refusal.keyId ?? null,
      count: 1,
      firstAt: now,
      lastAt: now,
      lastAddress: storableAddress(request.address),
      lastRequestId: request.requestId,
    }
    if (!this.#hasRoom(group, hour)) {
      Object.assign(group, { installationId: null, serial: null, keyId: null })
    }
    merge(this.#pending, group)
  }

  /** Writes the counts. Never throws. */
  async flush(): Promise<void> {
    await this.#flushing
    if (this.#pending.size === 0) return
    const writing = this.#pending
    this.#pending = new Map()
    this.#flushing = addRefusals(this.#database, [...writing.values()])
      .catch((error: unknown) => {
        for (const group of writing.values()) merge(this.#pending, group)
        this.#onFailure(error)
      })
      .finally(() => {
        this.#flushing = undefined
      })
    await this.#flushing
  }

  #hasRoom(group: RefusalGroup, hour: number): boolean {
    if (hour !== this.#seenHour) {
      this.#seenHour = hour
      this.#seen = new Set()
    }
    const name = nameOf(group)
    if (this.#seen.has(name)) return true
    if (this.#seen.size >= GROUPS_MAX) return false
    this.#seen.add(name)
    return true
  }

  async #prune(): Promise<void> {
    const before = new Date(this.#clock.now().getTime() - KEPT_MS)
    await pruneRefusals(this.#database, before).catch(this.#onFailure)
  }
}

function nameOf({ hour, code, route, installationId, serial, keyId }: RefusalGroup): string {
  return JSON.stringify([hour.getTime(), code, route, installationId, serial, keyId])
}

function merge(groups: Map<string, RefusalGroup>, group: RefusalGroup): void {
  const name = nameOf(group)
  const known = groups.get(name)
  if (known === undefined) {
    groups.set(name, group)
    return
  }
  const later = group.lastAt >= known.lastAt ? group : known
  groups.set(name, {
    ...later,
    count: known.count + group.count,
    firstAt: known.firstAt < group.firstAt ? known.firstAt : group.firstAt,
  })
}
