import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { FailureError, RefusedError } from '../errors.js'
import { errorCode, READ_AT_ONCE } from '../file-system.js'
import { isObject } from '../json.js'
import type { PassphraseParameters } from './passphrase.js'

/** A key as the file holds it, Base64: as it is, or sealed by the passphrase's key. */
export interface StoredKey {
  id: string
  createdAt: string
  key: string
}

/** What a key file holds. */
export interface KeyFile {
  version: 1
  /** Name of the keyring, which is the name the database has for it. */
  keyring: string
  provider: 'file' | 'passphrase'
  /** With provider `passphrase` only. */
  passphrase?: PassphraseParameters
  /** Id of the key that seals, for a database that knows no key yet. */
  current: string
  keys: StoredKey[]
}

/** Far more keys than anybody keeps; a wrong path must not be read into memory. */
const MAX_BYTES = 1024 * 1024
const GROUP_OR_WORLD = 0o077
const KEY_ID = /^[0-9a-f]{16}$/

/**
 * Reads a key file; undefined where there is none. The file that is checked is the file that is read.
 * Throws RefusedError when others may read it, FailureError when it is damaged or cannot be read.
 */
export function readKeyFile(path: string): KeyFile | undefined {
  let file: number
  try {
    file = openSync(path, READ_AT_ONCE)
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT') return undefined
    throw new FailureError('keyring-unreadable', `cannot read keyring ${path} (${code})`)
  }
  try {
    const status = fstatSync(file)
    if (!status.isFile() || status.size > MAX_BYTES) {
      throw new FailureError('keyring-unreadable', `${path} is not a keyring file`)
    }
    if (process.platform !== 'win32' && (status.mode & GROUP_OR_WORLD) !== 0) {
      throw new RefusedError('keyring-exposed', `keyring ${path} is open to group or world`, {
        suggestions: [`chmod 600 ${path}`],
      })
    }
    return parseKeyFile(readFileSync(file, 'utf8'), path)
  } finally {
    closeSync(file)
  }
}

/**
 * Makes a key file that was not there, whole or not at all; its folder is there.
 * @returns false when another process made one first
 */
export function createKeyFile(path: string, content: KeyFile): boolean {
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  try {
    writeDurably(draft, content, 'wx')
    linkSync(draft, path)
    return true
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    throw cannotWrite(path, error)
  } finally {
    rmSync(draft, { force: true })
    syncFolder(dirname(path))
  }
}

/** Replaces a key file whole: a crash leaves the former one or the new one. */
export function replaceKeyFile(path: string, content: KeyFile): void {
  try {
    // A link that somebody made stays a link.
    const target = realpathSync(path)
    const draft = `${target}.new`
    writeDurably(draft, content, 'w')
    renameSync(draft, target)
    syncFolder(dirname(target))
  } catch (error) {
    throw cannotWrite(path, error)
  }
}

function writeDurably(path: string, content: KeyFile, mode: 'w' | 'wx'): void {
  const file = openSync(path, mode, 0o600)
  try {
    // A draft that a crash left keeps the permissions it was made with.
    if (process.platform !== 'win32') fchmodSync(file, 0o600)
    writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Windows knows no handle on a folder; there a new name is durable with the file. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

function parseKeyFile(text: string, path: string): KeyFile {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch {
    content = undefined
  }
  if (isKeyFile(content)) return content
  throw damagedKeyFile(path)
}

/** The failure for a file that is there and holds no usable keys. */
export function damagedKeyFile(path: string): FailureError {
  return new FailureError('keyring-damaged', `${path} is not a keyring file, or a damaged one`, {
    suggestions: ['restore it from your copy'],
  })
}

function isKeyFile(value: unknown): value is KeyFile {
  if (!isObject(value) || value['version'] !== 1 || typeof value['keyring'] !== 'string')
    return false
  const { provider, passphrase, keys, current } = value
  if (provider !== 'file' && provider !== 'passphrase') return false
  if ((provider === 'passphrase') !== isPassphraseParameters(passphrase)) return false
  return Array.isArray(keys) && keys.every(isStoredKey) && keys.some(({ id }) => id === current)
}

function isStoredKey(value: unknown): value is StoredKey {
  if (!isObject(value)) return false
  const { id, createdAt, key } = value
  return (
    typeof id === 'string' &&
    KEY_ID.test(id) &&
    typeof createdAt === 'string' &&
    typeof key === 'string'
  )
}

function isPassphraseParameters(value: unknown): value is PassphraseParameters {
  if (!isObject(value) || value['algorithm'] !== 'argon2id') return false
  const { memoryKiB, iterations, parallelism, salt } = value
  return (
    [memoryKiB, iterations, parallelism].every((number) => Number.isSafeInteger(number)) &&
    typeof salt === 'string'
  )
}

function cannotWrite(path: string, error: unknown): FailureError {
  return new FailureError(
    'keyring-unwritable',
    `cannot write keyring ${path} (${errorCode(error)})`,
  )
}
