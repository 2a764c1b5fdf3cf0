import { dirname, join, parse } from 'node:path'
import type { KeyringSettings } from '../config/settings.js'
import { RefusedError } from '../errors.js'
import { readKeyFile, type KeyFile } from './key-file.js'
import type { KeyringRecord } from './store.js'

/** A key file, or the place where it may be made. */
export interface FoundKeyFile {
  path: string
  file: KeyFile | undefined
}

/**
 * Finds the key file of a database. Where nobody named one, it is the home's keyring.json, or, when
 * that one is another database's, a file beside it with the keyring's name.
 * Throws RefusedError when the database has a keyring and its file is not there, or is another's.
 */
export function findKeyFile(settings: KeyringSettings, record: KeyringRecord): FoundKeyFile {
  const places = candidates(settings, record).map((path) => ({ path, file: readKeyFile(path) }))
  const found = places.find(({ file }) => file !== undefined && belongs(file, record))
  if (found !== undefined) return found
  const free = places.find(({ file }) => file === undefined)
  if (record.keys.length === 0 && free !== undefined) return free
  const foreign = places.find(({ file }) => file !== undefined)
  throw foreign === undefined ? missingKeyring(settings.file) : wrongKeyring(foreign.path)
}

/** The refusal for a key file whose keys are not those of the database. */
export function wrongKeyring(path: string): RefusedError {
  return new RefusedError('wrong-keyring', `${path} is the wrong keyring for this database`, {
    suggestions: [
      'name the right file by CLEVERCTL_KEYRING_FILE, or by keyring.file of the profile',
      'cleverctl keyring status',
    ],
  })
}

/** The refusal for a database that is sealed by a keyring which is not here. */
export function missingKeyring(path: string): RefusedError {
  return new RefusedError(
    'keyring-missing',
    `this database has a keyring and ${path} is not there`,
    {
      suggestions: [
        `copy the keyring file from the machine that has it to ${path}, mode 0600`,
        'or name it by CLEVERCTL_KEYRING_FILE',
      ],
    },
  )
}

function candidates({ file, isNamed }: KeyringSettings, { keyringId }: KeyringRecord): string[] {
  if (isNamed) return [file]
  const { name, ext } = parse(file)
  return [file, join(dirname(file), `${name}-${keyringId.slice(0, 8)}${ext}`)]
}

function belongs(file: KeyFile, { keyringId, keys }: KeyringRecord): boolean {
  return (
    file.keyring === keyringId || keys.some((known) => file.keys.some(({ id }) => id === known.id))
  )
}
