import type { Random } from '../clock.js'
import { ExpectedError, RefusedError, UsageError } from '../errors.js'
import { damagedKeyFile, type KeyFile, type StoredKey } from './key-file.js'
import {
  derivePassphraseKey,
  newPassphraseParameters,
  SHORTEST_PASSPHRASE,
  type PassphraseKey,
  type PassphraseSource,
} from './passphrase.js'
import { KEY_BYTES, openWith, sealWith, type DataKey } from './sealing.js'

/**
 * The key that unlocks the keys of `file`; undefined where they are not locked.
 * @param path the file's, for messages
 * Throws RefusedError for a wrong passphrase.
 */
export async function unlock(
  file: KeyFile,
  path: string,
  source: PassphraseSource,
): Promise<PassphraseKey | undefined> {
  if (file.passphrase === undefined) return undefined
  const lock = await derivePassphraseKey(await source(), file.passphrase)
  dataKeys(file, path, lock)
  return lock
}

/** The lock of a new key file of provider `passphrase`. Throws UsageError for a passphrase too short. */
export async function newLock(source: PassphraseSource): Promise<PassphraseKey> {
  const passphrase = await source({ isNew: true })
  if ([...passphrase.reveal()].length < SHORTEST_PASSPHRASE) {
    throw new UsageError(
      'passphrase-too-short',
      `the passphrase of a keyring needs at least ${SHORTEST_PASSPHRASE} characters`,
    )
  }
  return derivePassphraseKey(passphrase, newPassphraseParameters())
}

/** The keys of a file, ready for use. Throws RefusedError when `lock` is not the one that locked them. */
export function dataKeys(file: KeyFile, path: string, lock: PassphraseKey | undefined): DataKey[] {
  return file.keys.map((stored) => {
    const { id, createdAt } = stored
    const bytes = Buffer.from(stored.key, 'base64')
    const key = lock === undefined ? bytes : opened(id, bytes, path, lock)
    if (key.length !== KEY_BYTES) throw damagedKeyFile(path)
    return { id, createdAt, key }
  })
}

/** A key as the file is to hold it. */
export function storedKey(
  { id, createdAt, key }: DataKey,
  lock: PassphraseKey | undefined,
  random: Random,
): StoredKey {
  const stored =
    lock === undefined ? key : sealWith(wrapping(id, lock), key, fileIdentity(id), random)
  return { id, createdAt, key: stored.toString('base64') }
}

function opened(id: string, stored: Buffer, path: string, lock: PassphraseKey): Buffer {
  try {
    return openWith(wrapping(id, lock), stored, fileIdentity(id))
  } catch (error) {
    if (!(error instanceof ExpectedError)) throw error
    throw new RefusedError('wrong-passphrase', `wrong passphrase for keyring ${path}`)
  }
}

function wrapping(id: string, lock: PassphraseKey): DataKey {
  return { id, createdAt: '', key: lock.key }
}

function fileIdentity(id: string): string {
  return `keyring-file:${id}`
}
