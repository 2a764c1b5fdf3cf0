import { systemRandom, type Random } from '../../src/lib/clock.js'
import { KeySet } from '../../src/lib/keyring/key-set.js'
import type { Keyring } from '../../src/lib/keyring/keyring.js'
import { newDataKey } from '../../src/lib/keyring/sealing.js'

/** A real keyring with one fresh key that lives in memory only. */
export function memoryKeyring(random: Random = systemRandom): Keyring {
  const key = newDataKey(random, new Date(0))
  return new KeySet([key], key.id, random)
}
