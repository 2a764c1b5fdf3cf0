import type { Random } from '../clock.js'
import { ExpectedError } from '../errors.js'
import { openWith, sealWith, type DataKey } from './sealing.js'

const KNOWN = Buffer.from('cleverctl keyring')

/** What the database keeps of a key, so that a wrong one is recognised before it is used. */
export function checkValue(key: DataKey, random: Random): Buffer {
  return sealWith(key, KNOWN, identityOf(key), random)
}

/** Whether this is the key that the database knows under its id. */
export function opensCheckValue(key: DataKey, value: Buffer): boolean {
  try {
    return openWith(key, value, identityOf(key)).equals(KNOWN)
  } catch (error) {
    if (error instanceof ExpectedError) return false
    throw error
  }
}

function identityOf({ id }: DataKey): string {
  return `keyring-key:${id}`
}
