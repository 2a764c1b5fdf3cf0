import type { Random } from '../clock.js'
import { RefusedError } from '../errors.js'
import type { Keyring } from './keyring.js'
import { openWith, sealingKeyId, sealWith, type DataKey } from './sealing.js'

/** A keyring over keys in memory. One of them seals, each opens what it sealed. */
export class KeySet implements Keyring {
  readonly currentKeyId: string
  readonly #current: DataKey
  readonly #random: Random
  readonly #reload: (() => readonly DataKey[]) | undefined
  #keys: ReadonlyMap<string, DataKey>

  /**
   * @param reload gives the keys anew when a value names one that is not here: a rotation in another
   *   process may have added it
   */
  constructor(
    keys: readonly DataKey[],
    currentKeyId: string,
    random: Random,
    reload?: () => readonly DataKey[],
  ) {
    this.#keys = byId(keys)
    const current = this.#keys.get(currentKeyId)
    if (current === undefined) throw missingKey(currentKeyId)
    this.#current = current
    this.currentKeyId = currentKeyId
    this.#random = random
    this.#reload = reload
  }

  seal(plaintext: Buffer, identity: string): Buffer {
    return sealWith(this.#current, plaintext, identity, this.#random)
  }

  open(sealed: Buffer, identity: string): Buffer {
    const id = sealingKeyId(sealed)
    if (!this.#keys.has(id) && this.#reload !== undefined) this.#keys = byId(this.#reload())
    const key = this.#keys.get(id)
    if (key === undefined) throw missingKey(id)
    return openWith(key, sealed, identity)
  }
}

function byId(keys: readonly DataKey[]): ReadonlyMap<string, DataKey> {
  return new Map(keys.map((key) => [key.id, key]))
}

/** The refusal for a value whose key is not at hand. */
export function missingKey(id: string): RefusedError {
  return new RefusedError('key-missing', `the keyring file has no key ${id}`, {
    suggestions: ['copy the keyring file from the machine where it was rotated'],
  })
}
