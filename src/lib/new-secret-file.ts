import { createHash } from 'node:crypto'
import type { BigIntStats } from 'node:fs'
import { link, open, rm, type FileHandle } from 'node:fs/promises'
import { ConflictError, FailureError, UsageError } from './errors.js'
import {
  errorCode,
  isExposed,
  isForeign,
  isSame,
  look,
  READ_AT_ONCE,
  requirePlace,
  syncFolder,
} from './file-system.js'
import { MAX_SECRET_BYTES } from './secret-file.js'
import { Secret } from './secret.js'

// A file of new secrets and the database's commit must both happen or neither, whenever the
// process is killed. So the file is complete, durable and in its place before the commit, and
// FILE.pending, the same inode under a second name, says until after the commit that it is not
// settled yet: whoever finds it asks the database.
//
//   write FILE.pending, fsync → link it to FILE, fsync the folder → COMMIT → unlink FILE.pending
//
// On Windows links need NTFS, folders cannot be synced, and permissions are those of the folder.

/** Throws ConflictError when a file is at `path`, UsageError when none can be made there. */
export async function requireFree(path: string): Promise<void> {
  if ((await requirePlace(path)) !== undefined) throw fileExists(path)
}

/**
 * Begins a file of secrets; nothing is at `path` before {@link SecretFile.publish}. First settle
 * what {@link leftover} gives.
 * Throws ConflictError when the file exists or another run is writing it, UsageError when it cannot
 * be made there.
 */
export async function openSecretFile(path: string): Promise<SecretFile> {
  await requireFree(path)
  const pending = pendingPath(path)
  try {
    return new SecretFile(path, await open(pending, 'wx+', 0o600))
  } catch (error) {
    const code = errorCode(error)
    if (code !== 'EEXIST') throw cannotWrite(path, code)
    throw new ConflictError('file-in-use', `${pending} exists: another run is writing ${path}`)
  }
}

/** A file of new secrets on its way to its place. Close it by `finish`, `discard` or `leave`. */
export class SecretFile {
  readonly #path: string
  readonly #file: FileHandle
  readonly #digest = createHash('sha256')

  constructor(path: string, file: FileHandle) {
    this.#path = path
    this.#file = file
  }

  /** Appends; await it before the next one. */
  async write(chunk: string | Buffer): Promise<void> {
    this.#digest.update(chunk)
    await this.#file.writeFile(chunk).catch((error: unknown) => {
      throw cannotWrite(this.#path, errorCode(error))
    })
  }

  /** SHA-256 of everything written so far. */
  sha256(): Buffer {
    return this.#digest.copy().digest()
  }

  /** Makes the file durable and puts it in its place; right before the commit. Throws ConflictError when one is there. */
  async publish(): Promise<void> {
    try {
      await this.#file.sync()
      await link(pendingPath(this.#path), this.#path)
      await syncFolder(this.#path)
    } catch (error) {
      const code = errorCode(error)
      throw code === 'EEXIST' ? fileExists(this.#path) : cannotWrite(this.#path, code)
    }
  }

  /** After the commit: the file is settled. */
  async finish(): Promise<void> {
    try {
      const own = await this.#file.stat({ bigint: true })
      if (!isSame(own, await look(this.#path))) await this.#putBack()
      // Another run may settle it at this moment and take the name away first.
      if (isSame(own, await look(pendingPath(this.#path)))) await forget(pendingPath(this.#path))
      await syncFolder(this.#path)
    } finally {
      await this.#file.close()
    }
  }

  /** After a rollback: nothing is left of it. */
  async discard(): Promise<void> {
    try {
      await withdraw(this.#path, await this.#file.stat({ bigint: true }))
    } finally {
      await this.#file.close()
    }
  }

  /** After a commit whose outcome is unknown: it is left to {@link leftover}. */
  async leave(): Promise<void> {
    await this.#file.close()
  }

  /** Another run took this one's file for an abandoned one, but its secrets are in force. */
  async #putBack(): Promise<void> {
    const copy = await open(this.#path, 'wx', 0o600).catch((error: unknown) => {
      throw new FailureError(
        'secret-not-delivered',
        `another run took ${this.#path} away (${errorCode(error)}): the new secret is in force and in no file`,
        { suggestions: ['rotate it once more'] },
      )
    })
    try {
      const source = this.#file.createReadStream({ start: 0, autoClose: false })
      for await (const chunk of source) await copy.writeFile(chunk as Buffer)
      await copy.sync()
    } finally {
      await copy.close()
    }
  }
}

/** A file of secrets that an interrupted run left unsettled. Close it after `complete` or `discard`. */
export interface Leftover {
  /** SHA-256 of what it holds. */
  sha256(): Promise<Buffer>
  /** The one secret it holds; undefined when it was not written to its end. */
  secret(): Promise<Secret | undefined>
  /** Its secrets are in the database: settles it. */
  complete(): Promise<void>
  /** They are not: removes it. */
  discard(): Promise<void>
  close(): Promise<void>
}

/**
 * What an interrupted run left of the file `path`; undefined when nothing is unsettled. Whether it
 * was committed must be asked under the lock that the writing transaction holds: a run that is still
 * under way looks the same.
 * Throws ConflictError when FILE.pending is something else.
 */
export async function leftover(path: string): Promise<Leftover | undefined> {
  const pending = pendingPath(path)
  const file = await openLeftover(pending)
  if (file === undefined) return undefined
  const status = await file.stat({ bigint: true })
  return {
    sha256: async () => {
      const digest = createHash('sha256')
      const content = file.createReadStream({ start: 0, autoClose: false })
      for await (const chunk of content) digest.update(chunk as Buffer)
      return digest.digest()
    },
    secret: async () => {
      if (status.size > MAX_SECRET_BYTES) return undefined
      const content = Buffer.alloc(Number(status.size))
      await file.read(content, 0, content.length, 0)
      const text = content.toString('utf8')
      return /[^\n]\n$/.test(text) ? new Secret(text.slice(0, -1)) : undefined
    },
    complete: async () => {
      const there = await look(path)
      if (there === undefined) await link(pending, path)
      else if (!isSame(status, there))
        throw fileExists(path, [`the new secret is in ${pending}: move it`])
      await syncFolder(path)
      await forget(pending)
      await syncFolder(path)
    },
    discard: async () => withdraw(path, status),
    close: async () => file.close(),
  }
}

/**
 * Opened at once: its run may settle it at any moment and take the name away, and then what it holds
 * can still be read.
 */
async function openLeftover(pending: string): Promise<FileHandle | undefined> {
  const named = await look(pending)
  if (named === undefined) return undefined
  if (!named.isFile() || isExposed(named) || isForeign(named)) throw inTheWay(pending)
  const file = await open(pending, READ_AT_ONCE).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined
    throw new UsageError('unreadable-file', `cannot open ${pending} (${errorCode(error)})`)
  })
  if (file === undefined || isSame(await file.stat({ bigint: true }), named)) return file
  await file.close()
  throw inTheWay(pending)
}

function inTheWay(pending: string): ConflictError {
  return new ConflictError(
    'file-in-the-way',
    `${pending} is in the way and was not made by cleverctl`,
  )
}

/** Removes a name, whether or not another run was quicker. */
async function forget(pending: string): Promise<void> {
  await rm(pending, { force: true })
}

/** Removes the file under both its names; FILE first, so that a kill in between leaves it unsettled. */
async function withdraw(path: string, own: BigIntStats): Promise<void> {
  if (isSame(own, await look(path))) await rm(path, { force: true })
  if (isSame(own, await look(pendingPath(path)))) await forget(pendingPath(path))
  await syncFolder(path)
}

function pendingPath(path: string): string {
  return `${path}.pending`
}

/** The error for a file that is there. */
export function fileExists(
  path: string,
  suggestions: string[] = ['name another file, or move this one away'],
): ConflictError {
  return new ConflictError('file-exists', `${path} exists and is not overwritten`, { suggestions })
}

function cannotWrite(path: string, code: string): FailureError | UsageError {
  if (['ENOSPC', 'EDQUOT', 'EIO', 'EMFILE', 'ENFILE'].includes(code)) {
    return new FailureError('cannot-write', `cannot write ${path} (${code})`)
  }
  return new UsageError('cannot-write', `cannot make ${path} (${code})`)
}
