import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { systemClock, systemRandom, type Clock, type Random } from '../clock.js'
import type { KeyringSettings } from '../config/settings.js'
import type { Database } from '../database/database.js'
import { RefusedError } from '../errors.js'
import { makeFolder } from '../file-system.js'
import { checkValue, opensCheckValue } from './check-value.js'
import { findKeyFile, missingKeyring, wrongKeyring } from './find.js'
import { createKeyFile, readKeyFile, type KeyFile } from './key-file.js'
import { KeySet, missingKey } from './key-set.js'
import type { Keyring } from './keyring.js'
import { dataKeys, newLock, storedKey, unlock } from './locked-keys.js'
import { passphraseSource, type PassphraseKey, type PassphraseSource } from './passphrase.js'
import { newDataKey, type DataKey } from './sealing.js'
import { readKeyringRecord, registerFirstKey, type KeyringRecord } from './store.js'

/** What opening a keyring needs. */
export interface KeyringAccess {
  settings: { keyring: KeyringSettings }
  database: Database
  /** Asks a person for the passphrase, without showing what is typed; for a new one twice. */
  askPassphrase: PassphraseSource
  random?: Random
  clock?: Clock
}

/** A key file whose keys are those of the database, unlocked. */
export interface OpenKeyFile {
  path: string
  file: KeyFile
  keys: readonly DataKey[]
  lock: PassphraseKey | undefined
  record: KeyringRecord
  /** Id of the key that seals now: the newest one that the database knows. */
  currentKeyId: string
}

/**
 * Opens the keyring of a database. The first use of all makes the key file and registers its key.
 * Throws RefusedError for a wrong, missing or outdated key file and for a wrong passphrase.
 */
export async function openKeyring(access: KeyringAccess): Promise<Keyring> {
  const { path, keys, lock, currentKeyId } = await openKeyFile(access)
  return new KeySet(keys, currentKeyId, access.random ?? systemRandom, () => {
    const file = readKeyFile(path)
    return file === undefined ? [] : dataKeys(file, path, lock)
  })
}

/** Opens the key file itself, for those who look after it. Throws as {@link openKeyring} does. */
export async function openKeyFile(access: KeyringAccess): Promise<OpenKeyFile> {
  const { database, settings, askPassphrase } = access
  const passphrase = passphraseSource(settings.keyring.passphraseFile, askPassphrase)
  const record = await readKeyringRecord(database)
  const { path, file, isNew } = await findOrMake(access, record, passphrase)
  if (file.provider !== settings.keyring.provider) throw otherProvider(file, path)
  const lock = await unlock(file, path, passphrase)
  const keys = dataKeys(file, path, lock)
  if (record.keys.length > 0) return checked({ path, file, keys, lock }, record)
  await registerFirst(access, file, keys)
  const registered = await readKeyringRecord(database)
  if (isNew && !registered.keys.some(({ id }) => id === file.current)) {
    // Another machine was first: no database knows this new key, and none ever will.
    rmSync(path)
    throw missingKeyring(path)
  }
  return checked({ path, file, keys, lock }, registered)
}

async function findOrMake(
  { settings, random = systemRandom, clock = systemClock }: KeyringAccess,
  record: KeyringRecord,
  passphrase: PassphraseSource,
): Promise<{ path: string; file: KeyFile; isNew: boolean }> {
  const { path, file } = findKeyFile(settings.keyring, record)
  if (file !== undefined) return { path, file, isNew: false }
  if (!record.mayRegister) throw notSetUp()
  const { provider } = settings.keyring
  const lock = provider === 'passphrase' ? await newLock(passphrase) : undefined
  const key = newDataKey(random, clock.now())
  const made: KeyFile = {
    version: 1,
    keyring: record.keyringId,
    provider,
    ...(lock === undefined ? {} : { passphrase: lock.parameters }),
    current: key.id,
    keys: [storedKey(key, lock, random)],
  }
  await makeFolder(dirname(path), 0o700)
  if (createKeyFile(path, made)) return { path, file: made, isNew: true }
  const other = findKeyFile(settings.keyring, record)
  if (other.file === undefined) throw missingKeyring(path)
  return { path: other.path, file: other.file, isNew: false }
}

async function registerFirst(
  { database, random = systemRandom }: KeyringAccess,
  file: KeyFile,
  keys: readonly DataKey[],
): Promise<void> {
  const first = keys.find(({ id }) => id === file.current)
  if (first === undefined) throw missingKey(file.current)
  await registerFirstKey(database, { id: first.id, checkValue: checkValue(first, random) })
}

/** Compares the file's keys with the database's before any of them is used. */
function checked(
  open: Omit<OpenKeyFile, 'record' | 'currentKeyId'>,
  record: KeyringRecord,
): OpenKeyFile {
  const { keys, path } = open
  const known = record.keys.filter(({ id }) => keys.some((key) => key.id === id))
  const isRight = known.every(({ id, checkValue }) =>
    keys.some((key) => key.id === id && opensCheckValue(key, checkValue)),
  )
  if (known.length === 0 || !isRight) throw wrongKeyring(path)
  const current = record.keys.findLast(({ retiredAt }) => retiredAt === null)
  if (current === undefined) throw wrongKeyring(path)
  if (!known.includes(current)) throw missingKey(current.id)
  return { ...open, record, currentKeyId: current.id }
}

function otherProvider(file: KeyFile, path: string): RefusedError {
  return new RefusedError(
    'keyring-provider',
    file.provider === 'passphrase'
      ? `keyring ${path} is locked by a passphrase, and the profile says it is not`
      : `keyring ${path} is not locked by a passphrase, and the profile says it is`,
    { suggestions: [`set keyring.provider of the profile to "${file.provider}"`] },
  )
}

function notSetUp(): RefusedError {
  return new RefusedError(
    'keyring-not-set-up',
    'the keyring of this database is not set up yet, and this database role may not do it',
    { suggestions: ['as a member of staff: cleverctl init'] },
  )
}
