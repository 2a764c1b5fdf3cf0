import type { KeyringSettings } from '../config/settings.js'
import { isSqlState, SqlState } from '../database/sqlstate.js'
import { ConflictError, PartialError, RefusedError } from '../errors.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { checkValue } from './check-value.js'
import { replaceKeyFile } from './key-file.js'
import { KeySet } from './key-set.js'
import { storedKey } from './locked-keys.js'
import { openKeyFile, type OpenKeyFile } from './open.js'
import type { PassphraseSource } from './passphrase.js'
import { resealAll, type Resealed } from './reseal.js'
import { newDataKey, type DataKey } from './sealing.js'
import { readKeyringRecord, registerKey, retireUnused } from './store.js'

/** What a rotation did. */
export interface KeyringRotation {
  /**
   * `rotated`: a new key seals everything; `finished`: so does that of a rotation which had been
   * interrupted; `prepared`: a new key is in the file and seals nothing yet.
   */
  outcome: 'rotated' | 'finished' | 'prepared'
  /** The new key. */
  keyId: string
  /** Keys that seal nothing any more and are no longer in the file. */
  retired: string[]
  /** Rows sealed anew by this run. */
  resealed: number
  /** Rows that no key of the file opens; they are as they were. */
  unopened: string[]
  file: string
}

/** What a rotation needs beside the workspace. */
export interface RotationOptions {
  settings: { keyring: KeyringSettings }
  askPassphrase: PassphraseSource
  /** Only adds the new key to the file, so that it can be copied to other machines before it seals. */
  prepareOnly: boolean
}

const LOCK = `hashtextextended('cleverctl.keyring-rotate', 0)`
/** The server needs a moment to see that a rotation was killed, and holds its lock until then. */
const LOCK_TIMEOUT = '3s'
/** A row may have been written with the old key while the others were sealed anew. */
const MOST_PASSES = 20

/**
 * Gives the database a new sealing key. Each step can be the last before a crash: the key is in the
 * file before the database knows it, the database knows it before it seals, and the old key leaves
 * the file last, when nothing is sealed by it. Given again, it goes on where it stopped.
 * Throws RefusedError for a database role that may not do it, ConflictError when another rotation is
 * under way, PartialError when rows could not be opened.
 */
export async function rotateKeyring(
  workspace: Workspace,
  options: RotationOptions,
): Promise<KeyringRotation> {
  return workspace.database.connection(async (client) => {
    await client.query(`set lock_timeout = '${LOCK_TIMEOUT}'`)
    try {
      await client.query(`select pg_advisory_lock(${LOCK})`)
    } catch (error) {
      if (!isSqlState(error, SqlState.LOCK_NOT_AVAILABLE)) throw error
      throw new ConflictError('keyring-rotating', 'another rotation of the keyring is under way')
    } finally {
      await client.query('reset lock_timeout').catch(() => undefined)
    }
    try {
      return await rotate(workspace, options)
    } finally {
      await client.query(`select pg_advisory_unlock(${LOCK})`).catch(() => undefined)
    }
  })
}

async function rotate(workspace: Workspace, options: RotationOptions): Promise<KeyringRotation> {
  const before = await openKeyFile({ ...workspace, ...options })
  // The file is changed before the database, which would refuse it too late.
  if (!before.record.mayRegister) throw notAllowed()
  const begun = begunRotation(before)
  if (options.prepareOnly && begun !== undefined && isRegistered(before, begun.next)) {
    throw new ConflictError(
      'rotation-unfinished',
      'the last rotation of the keyring is unfinished',
      {
        suggestions: ['cleverctl keyring rotate'],
      },
    )
  }
  const next = begun?.next ?? newDataKey(workspace.random, workspace.clock.now())
  const open = begun === undefined ? addToFile(workspace, before, next) : before
  const rotation = { keyId: next.id, file: open.path }
  if (options.prepareOnly) {
    workspace.log.info(`copy ${open.path} to every other machine, then: cleverctl keyring rotate`)
    return { outcome: 'prepared', ...rotation, retired: [], resealed: 0, unopened: [] }
  }
  if (!isRegistered(open, next)) await register(workspace, open, next)
  const { resealed, unopened } = await resealAndRetire(workspace, open, next)
  const retired = await removeRetired(workspace, open, next)
  workspace.log.info(
    `copy ${open.path} to every other machine; backups made before need the file as it was`,
  )
  const isFinished = begun !== undefined && isRegistered(before, next)
  const outcome = isFinished ? ('finished' as const) : ('rotated' as const)
  const result: KeyringRotation = { outcome, ...rotation, retired, resealed, unopened }
  if (unopened.length === 0) return result
  throw new PartialError(
    'rows-not-opened',
    `${unopened.length} sealed rows could not be opened and are as they were`,
    { result, suggestions: ['cleverctl keyring status'] },
  )
}

function notAllowed(): RefusedError {
  return new RefusedError('privilege-missing', 'this database role may not rotate the keyring', {
    suggestions: ['as a member of staff: cleverctl keyring rotate'],
  })
}

/** The key of a rotation that was prepared or interrupted; undefined when a new one begins. */
function begunRotation(open: OpenKeyFile): { next: DataKey } | undefined {
  const { keys, record, currentKeyId } = open
  const prepared = keys.findLast((key) => !isRegistered(open, key))
  if (prepared !== undefined) return { next: prepared }
  const isUnfinished =
    record.keys.filter(({ retiredAt }) => retiredAt === null).length > 1 || keys.length > 1
  const current = keys.find(({ id }) => id === currentKeyId)
  return isUnfinished && current !== undefined ? { next: current } : undefined
}

function isRegistered({ record }: OpenKeyFile, key: DataKey): boolean {
  return record.keys.some(({ id }) => id === key.id)
}

/** The new key is durable in the file before anything else happens. */
function addToFile({ random }: Workspace, open: OpenKeyFile, next: DataKey): OpenKeyFile {
  const stored = storedKey(next, open.lock, random)
  const file = { ...open.file, keys: [...open.file.keys, stored] }
  replaceKeyFile(open.path, file)
  return { ...open, file, keys: [...open.keys, next] }
}

async function register(
  { database, actor, random }: Workspace,
  { currentKeyId }: OpenKeyFile,
  next: DataKey,
): Promise<void> {
  await database.transaction(async (transaction) => {
    await registerKey(transaction, { id: next.id, checkValue: checkValue(next, random) })
    const details = { former: currentKeyId }
    const entry = { action: 'keyring.rotate', subject: next.id, phase: 'intent' as const, details }
    await appendTrail(transaction, actor, entry)
  })
}

async function resealAndRetire(
  workspace: Workspace,
  { keys }: OpenKeyFile,
  next: DataKey,
): Promise<{ resealed: number; unopened: string[] }> {
  const keyring = new KeySet(keys, next.id, workspace.random)
  let resealed = 0
  for (let pass = 0; pass < MOST_PASSES; pass++) {
    const done = await resealAll(workspace, keyring)
    resealed += done.rows
    const isComplete = await retire(workspace, next, { ...done, rows: resealed })
    if (isComplete || done.unopened.length > 0) return { resealed, unopened: done.unopened }
  }
  throw new ConflictError('keyring-busy', 'others go on sealing with the old key of the keyring', {
    suggestions: ['give the command again'],
  })
}

/** @returns whether no other key is left in force */
async function retire(
  { database, actor, clock }: Workspace,
  next: DataKey,
  done: Resealed,
): Promise<boolean> {
  return database.transaction(async (transaction) => {
    const retired = await retireUnused(transaction, next.id, clock.now())
    const { keys } = await readKeyringRecord(transaction)
    if (retired.length > 0) {
      const details = { retired, resealed: done.rows, unopened: done.unopened.length }
      const entry = {
        action: 'keyring.rotate',
        subject: next.id,
        phase: 'outcome' as const,
        details,
      }
      await appendTrail(transaction, actor, entry)
    }
    return keys.every(({ id, retiredAt }) => retiredAt !== null || id === next.id)
  })
}

/** Nothing is sealed by a retired key, and nothing can be: it may leave the file. */
async function removeRetired(
  { database }: Workspace,
  { path, file }: OpenKeyFile,
  next: DataKey,
): Promise<string[]> {
  const { keys } = await readKeyringRecord(database)
  const retired = new Set(keys.filter(({ retiredAt }) => retiredAt !== null).map(({ id }) => id))
  const kept = file.keys.filter(({ id }) => !retired.has(id))
  if (kept.length < file.keys.length || file.current !== next.id) {
    replaceKeyFile(path, { ...file, current: next.id, keys: kept })
  }
  return file.keys.filter(({ id }) => retired.has(id)).map(({ id }) => id)
}
