import { randomBytes } from 'node:crypto'
import { constants, type BigIntStats } from 'node:fs'
import { lstat, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { UsageError } from './errors.js'

const GROUP_OR_WORLD = 0o077n

/** Opens for reading and never waits: a named pipe would wait for its writer before it can be refused. */
export const READ_AT_ONCE = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)

/**
 * Whether a plain file can be made at `path`, as far as can be seen without trying.
 * Throws UsageError, naming what is wrong, when its folder is not there or something else is in its place.
 * @returns the plain file that is there already; undefined where none is
 */
export async function requirePlace(path: string): Promise<BigIntStats | undefined> {
  if (path === '') throw new UsageError('no-file-name', 'the name of the output file is empty')
  const folder = dirname(resolve(path))
  const parent = await stat(folder).catch((error: unknown) => {
    throw new UsageError('no-folder', `folder ${folder} is not there (${errorCode(error)})`)
  })
  if (!parent.isDirectory()) throw new UsageError('no-folder', `${folder} is no folder`)
  const found = await look(path)
  if (found?.isDirectory()) throw new UsageError('not-a-file', `${path} is a folder`)
  if (found?.isSymbolicLink()) throw new UsageError('not-a-file', `${path} is a symbolic link`)
  if (found?.isFile() === false) throw new UsageError('not-a-file', `${path} is no plain file`)
  return found
}

/** What is at `path`, links not followed; undefined when nothing is. Throws UsageError when it cannot be seen. */
export async function look(path: string): Promise<BigIntStats | undefined> {
  try {
    return await lstat(path, { bigint: true })
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw new UsageError('unreadable-file', `cannot look at ${path} (${errorCode(error)})`)
  }
}

/**
 * Makes a folder, and those above it that are missing. Node's own recursive `mkdir` asks for ever where
 * a file system lets nothing be made, such as /proc.
 * @param mode permissions of the folders that are made
 * @returns whether the folder was made just now
 * Throws UsageError naming the folder when it cannot be made.
 */
export async function makeFolder(path: string, mode: number): Promise<boolean> {
  const folder = resolve(path)
  if (await isFolder(folder)) return false
  const parent = dirname(folder)
  if (parent !== folder) await makeFolder(parent, mode)
  try {
    await mkdir(folder, { mode })
    return true
  } catch (error) {
    // Another process may have been quicker.
    if (errorCode(error) === 'EEXIST' && (await isFolder(folder))) return false
    throw new UsageError(
      'cannot-make-folder',
      `cannot make folder ${folder} (${errorCode(error)})`,
      {
        suggestions: ['set CLEVERCTL_HOME to a folder of yours'],
        cause: error,
      },
    )
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}

/**
 * Replaces a file whole and durably, or makes it: after a crash there is the former one or the new one.
 * @param mode permissions of the new one
 * Throws what the system throws; then the former one is there.
 */
export async function writeWhole(path: string, text: string, mode: number): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const file = await open(draft, 'wx', mode)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}

/** Makes the names in the folder of `path` durable. Windows knows no handle on a folder, so nothing happens there. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(dirname(resolve(path)), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** Whether both are one file under two names. */
export function isSame(one: BigIntStats, other: BigIntStats | undefined): boolean {
  return one.ino === other?.ino && one.dev === other.dev
}

/** Whether group or world may do anything with the file. Windows has no such permissions: never. */
export function isExposed({ mode }: BigIntStats): boolean {
  return process.platform !== 'win32' && (mode & GROUP_OR_WORLD) !== 0n
}

/** Whether the file belongs to another user. */
export function isForeign({ uid }: BigIntStats): boolean {
  return process.geteuid !== undefined && uid !== BigInt(process.geteuid())
}

/** The system's code of a failed call, e.g. `ENOENT`, for messages. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
}
