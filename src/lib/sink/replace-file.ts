import type { BigIntStats } from 'node:fs'
import { open, readFile, rename, rm, type FileHandle } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { ConflictError, FailureError } from '../errors.js'
import { errorCode, isSame, look, requirePlace, syncFolder } from '../file-system.js'
import type { Delivered } from './types.js'

/** A file of variables or of one key; more is something else. */
const MAX_BYTES = 1024 * 1024
/** How often a file is read anew because somebody changed it meanwhile. */
const ATTEMPTS = 3
/** A draft is there for milliseconds; one that stays so long was left by a run that was killed. */
const POLL_MS = 20
const POLLS = 100

/**
 * Replaces a file as a whole: whoever reads it, also after a crash, has the former one or the new one. Owner
 * and group stay. Of several runs that replace one file, one works after the other.
 * @param change gives the new content from the former one, undefined where there is no file
 * @param mode permissions of the new file; undefined: those of the former one, 0600 where there is none
 * Throws UsageError when no file can be there, ConflictError when somebody else goes on changing it,
 * FailureError when it cannot be written.
 */
export async function replaceFile(
  path: string,
  change: (former: Buffer | undefined) => string,
  mode?: number,
): Promise<Delivered> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const done = await withDraft(path, async (draft) => {
      const former = await readFormer(path)
      const written = await put(path, draft, Buffer.from(change(former?.content)), {
        expected: former?.status,
        owner: former?.status,
        mode: mode ?? modeOf(former?.status),
      })
      return written && { putBack: () => putBack(path, written, former) }
    })
    if (done !== undefined) return done
  }
  throw new ConflictError('file-in-use', `somebody else goes on changing ${path}`)
}

interface Former {
  status: BigIntStats
  content: Buffer
}

/** Reads a file that is to be replaced; undefined where none is. Throws UsageError and ConflictError. */
export async function readFormer(path: string): Promise<Former | undefined> {
  const status = await requirePlace(path)
  if (status === undefined) return undefined
  if (status.size > MAX_BYTES)
    throw new ConflictError('file-exists', `${path} is larger than a file of keys`)
  try {
    return { status, content: await readFile(path) }
  } catch (error) {
    throw cannotWrite(path, error)
  }
}

/** Runs `work` with the file that is to take the other one's place; it keeps other runs out as long as it is there. */
async function withDraft<Result>(
  path: string,
  work: (draft: FileHandle) => Promise<Result>,
): Promise<Result> {
  const draft = await openDraft(path)
  try {
    return await work(draft)
  } finally {
    const own = await draft.stat({ bigint: true })
    if (isSame(own, await look(draftOf(path)))) await rm(draftOf(path), { force: true })
    await draft.close()
  }
}

async function openDraft(path: string): Promise<FileHandle> {
  await requirePlace(path)
  let other: BigIntStats | undefined
  for (let poll = 0; ; poll += 1) {
    try {
      return await open(draftOf(path), 'wx', 0o600)
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw cannotWrite(path, error)
    }
    const found = await look(draftOf(path))
    if (found === undefined) continue
    if (other === undefined || !isSame(found, other)) poll = 0
    other = found
    if (poll >= POLLS) await rm(draftOf(path), { force: true })
    await sleep(POLL_MS)
  }
}

function draftOf(path: string): string {
  return `${path}.cleverctl-draft`
}

/** @returns undefined when what is there is not what was expected any more */
async function put(
  path: string,
  draft: FileHandle,
  content: Buffer,
  given: { expected: BigIntStats | undefined; owner: BigIntStats | undefined; mode: number },
): Promise<BigIntStats | undefined> {
  try {
    await draft.writeFile(content)
    if (given.owner) await draft.chown(Number(given.owner.uid), Number(given.owner.gid))
    await draft.chmod(given.mode)
    await draft.sync()
    if (!isUnchanged(given.expected, await look(path))) return undefined
    const own = await draft.stat({ bigint: true })
    if (!isSame(own, await look(draftOf(path)))) return undefined
    await rename(draftOf(path), path)
    await syncFolder(path)
    return own
  } catch (error) {
    throw cannotWrite(path, error)
  }
}

function isUnchanged(before: BigIntStats | undefined, now: BigIntStats | undefined): boolean {
  if (before === undefined || now === undefined) return before === now
  return isSame(before, now) && before.mtimeNs === now.mtimeNs && before.size === now.size
}

/** Of a file that is not there yet: for its owner alone. */
function modeOf(status: BigIntStats | undefined): number {
  return status === undefined ? 0o600 : Number(status.mode & 0o777n)
}

async function putBack(
  path: string,
  written: BigIntStats,
  former: Former | undefined,
): Promise<void> {
  await withDraft(path, async (draft) => {
    if (!isUnchanged(written, await look(path))) throw changedSince(path)
    if (former === undefined) {
      await rm(path, { force: true })
      await syncFolder(path)
      return
    }
    const { status: owner, content } = former
    const given = { expected: written, owner, mode: modeOf(owner) }
    if ((await put(path, draft, content, given)) === undefined) throw changedSince(path)
  })
}

function changedSince(path: string): ConflictError {
  return new ConflictError('file-in-use', `somebody else has changed ${path} since`)
}

function cannotWrite(path: string, error: unknown): unknown {
  if (!(error instanceof Error && 'syscall' in error)) return error
  return new FailureError('cannot-write', `cannot write ${path} (${errorCode(error)})`, {
    cause: error,
  })
}
