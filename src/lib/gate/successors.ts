import { LRUCache } from 'lru-cache'
import { loadSuccessor, type Successor } from '../api-key/successor.js'
import type { Queryable } from '../database/database.js'
import { loadWifiSuccessor, type WifiSuccessor } from '../router/wifi-successor.js'
import type { Workspace } from '../workspace.js'
import type { DeviceRow, KeyRow } from './decide-arrival.js'
import type { Memory } from './memory.js'
import type { WifiMoves } from './wifi-moves.js'

/** Installations that change their key or passphrase at the same time, some 500 bytes each. */
const INSTALLATIONS_MAX = 20_000

/** The header by which a logger says which version of its Wi-Fi passphrase it uses. */
export const WIFI_VERSION_HEADER = 'x-wifi-version'

/** What a device is told that came with a former key, or uses a former Wi-Fi passphrase. */
export interface HandedOver {
  apiKey?: {
    /** The key to use from now on. */
    value: string
    /** When the one it came with ends at the latest; RFC 3339. */
    notAfter: string
  }
  wifi?: {
    ssid: string
    passphrase: string
    /** What the device says from then on, once it uses this passphrase. */
    version: number
    /** When the former passphrase ends at the latest; RFC 3339. */
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
    wifi: {
      type: 'object',
      properties: {
        ssid: { type: 'string' },
        passphrase: { type: 'string' },
        version: { type: 'integer' },
        notAfter: { type: 'string' },
      },
    },
  },
} as const

/** Hands the new key and the new Wi-Fi passphrase of an installation to its devices that use the former ones. */
export class Successors {
  readonly #workspace: Workspace
  readonly #database: Queryable
  readonly #memory: Memory
  readonly #wifiMoves: Pick<WifiMoves, 'add'>
  readonly #onFailure: (error: unknown) => void
  readonly #onHandOver: () => void
  readonly #keys = new LRUCache<string, Successor>({ max: INSTALLATIONS_MAX })
  readonly #wifis = new LRUCache<string, WifiSuccessor>({ max: INSTALLATIONS_MAX })
  #generation = 0

  /**
   * @param given.wifiMoves told of each device that says it uses the new passphrase
   * @param given.onHandOver told of each answer that holds a secret
   * @param given.onFailure told when one could not be handed over; the device asks again by itself
   */
  constructor(given: {
    workspace: Workspace
    database: Queryable
    memory: Memory
    wifiMoves: Pick<WifiMoves, 'add'>
    onHandOver: () => void
    onFailure: (error: unknown) => void
  }) {
    this.#workspace = given.workspace
    this.#database = given.database
    this.#memory = given.memory
    this.#wifiMoves = given.wifiMoves
    this.#onHandOver = given.onHandOver
    this.#onFailure = given.onFailure
  }

  /**
   * What to tell a device that was let in; undefined when it uses what is current. Never throws.
   * @param said the header by which it says which passphrase it uses
   */
  async handOver(
    { key, device }: { key: KeyRow; device: Pick<DeviceRow, 'id'> },
    said: string | string[] | undefined,
  ): Promise<HandedOver | undefined> {
    const { id, wifiVersion } = key.installation
    const isFormerKey = key.state === 'GRACE' && key.graceUntil !== null
    const isOverlap = wifiVersion !== undefined && wifiVersion !== null
    if (!isFormerKey && !isOverlap) return undefined
    const hasMoved = isOverlap && said === String(wifiVersion)
    if (hasMoved) this.#wifiMoves.add(device.id, id, wifiVersion)
    try {
      const apiKey = isFormerKey ? await this.#apiKeyOf(key) : undefined
      const wifi = isOverlap && !hasMoved ? await this.#wifiOf(id) : undefined
      if (apiKey === undefined && wifi === undefined) return undefined
      this.#onHandOver()
      return { ...(apiKey && { apiKey }), ...(wifi && { wifi }) }
    } catch (error) {
      // Its data was taken in all the same.
      this.#onFailure(error)
      return undefined
    }
  }

  /** Tells it that keys or passphrases changed. */
  forget(): void {
    this.#generation += 1
    this.#keys.clear()
    this.#wifis.clear()
  }

  async #apiKeyOf({ installation, graceUntil }: KeyRow): Promise<HandedOver['apiKey']> {
    const now = this.#workspace.clock.now()
    const found = await this.#find(this.#keys, installation.id, async () => {
      const asked = { installationId: installation.id, now }
      return loadSuccessor(this.#database, await this.#workspace.keyring(), asked)
    })
    return found && { value: found.apiKey.reveal(), notAfter: graceUntil?.toISOString() ?? '' }
  }

  async #wifiOf(installationId: string): Promise<HandedOver['wifi']> {
    const found = await this.#find(this.#wifis, installationId, async () =>
      loadWifiSuccessor(this.#database, await this.#workspace.keyring(), installationId),
    )
    if (found === undefined) return undefined
    const { ssid, passphrase, version, notAfter } = found
    return { ssid, passphrase: passphrase.reveal(), version, notAfter: notAfter.toISOString() }
  }

  async #find<Found extends object>(
    known: LRUCache<string, Found>,
    installationId: string,
    load: () => Promise<Found | undefined>,
  ): Promise<Found | undefined> {
    const remembered = this.#memory.isTrusted ? known.get(installationId) : undefined
    if (remembered) return remembered
    const generation = this.#generation
    const found = await load()
    if (found && generation === this.#generation) known.set(installationId, found)
    return found
  }
}
