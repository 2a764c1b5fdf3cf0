import { LRUCache } from 'lru-cache'
import { loadSuccessor, type Successor } from '../api-key/successor.js'
import type { Queryable } from '../database/database.js'
import type { Workspace } from '../workspace.js'
import type { KeyRow } from './decide-arrival.js'
import type { Memory } from './memory.js'

/** Installations that change their key at the same time, some 500 bytes each. */
const INSTALLATIONS_MAX = 20_000

/** What a device is told that came with a former key. */
export interface HandedOver {
  apiKey: {
    /** The key to use from now on. */
    value: string
    /** When the one it came with ends at the latest; RFC 3339. */
    notAfter: string
  }
}

/** JSON schema of {@link HandedOver} in an answer. */
export const HANDED_OVER_SCHEMA = {
  type: 'object',
  properties: {
    apiKey: {
      type: 'object',
      properties: { value: { type: 'string' }, notAfter: { type: 'string' } },
    },
  },
} as const

/** Hands the new key of an installation to its devices, as long as they come with a former one. */
export class Successors {
  readonly #workspace: Workspace
  readonly #database: Queryable
  readonly #memory: Memory
  readonly #onFailure: (error: unknown) => void
  readonly #onHandOver: () => void
  readonly #known = new LRUCache<string, Successor>({ max: INSTALLATIONS_MAX })
  #generation = 0

  /**
   * @param given.onHandOver told of each answer that holds a key
   * @param given.onFailure told when a key could not be handed over; the device asks again by itself
   */
  constructor(given: {
    workspace: Workspace
    database: Queryable
    memory: Memory
    onHandOver: () => void
    onFailure: (error: unknown) => void
  }) {
    this.#workspace = given.workspace
    this.#database = given.database
    this.#memory = given.memory
    this.#onHandOver = given.onHandOver
    this.#onFailure = given.onFailure
  }

  /** What to tell a device that was let in with this key; undefined when the key is the current one. Never throws. */
  async handOver(key: KeyRow): Promise<HandedOver | undefined> {
    if (key.state !== 'GRACE' || key.graceUntil === null) return undefined
    try {
      const successor = await this.#find(key.installation.id)
      if (successor === undefined) return undefined
      const value = successor.apiKey.reveal()
      this.#onHandOver()
      return { apiKey: { value, notAfter: key.graceUntil.toISOString() } }
    } catch (error) {
      // Its data was taken in all the same.
      this.#onFailure(error)
      return undefined
    }
  }

  /** Tells it that keys changed. */
  forget(): void {
    this.#generation += 1
    this.#known.clear()
  }

  async #find(installationId: string): Promise<Successor | undefined> {
    const known = this.#memory.isTrusted ? this.#known.get(installationId) : undefined
    if (known) return known
    const generation = this.#generation
    const keyring = await this.#workspace.keyring()
    const now = this.#workspace.clock.now()
    const found = await loadSuccessor(this.#database, keyring, { installationId, now })
    if (found && generation === this.#generation) this.#known.set(installationId, found)
    return found
  }
}
