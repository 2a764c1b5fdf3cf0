import { randomBytes } from 'node:crypto'
import { link, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { ConflictError } from '../../errors.js'
import { errorCode } from '../../file-system.js'

/** A start takes about two seconds; one that takes so long hangs. */
const PATIENCE_MS = 60_000
const POLL_MS = 25
/** Between making the file and writing into it, its maker may be stopped for a moment. */
const UNWRITTEN_MS = 2_000

/**
 * Runs `work` while holding the lock file, so that of many first commands one makes the database and
 * the others wait. It saves work and keeps starts in order; the data is safe without it, because a
 * data folder appears whole by one rename and PostgreSQL admits one server to it.
 * Throws ConflictError naming the holder when that does not let go.
 */
export async function withStartLock<Result>(
  file: string,
  given: { signal: AbortSignal | undefined; patienceMs?: number },
  work: () => Promise<Result>,
): Promise<Result> {
  const mine = holderText(process.pid)
  await acquire(file, mine, { patienceMs: PATIENCE_MS, ...given })
  try {
    return await work()
  } finally {
    if ((await read(file)) === mine) await rm(file, { force: true })
  }
}

async function acquire(
  file: string,
  mine: string,
  given: { signal: AbortSignal | undefined; patienceMs: number },
): Promise<void> {
  const deadline = Date.now() + given.patienceMs
  for (;;) {
    given.signal?.throwIfAborted()
    try {
      await writeFile(file, mine, { flag: 'wx', mode: 0o600 })
      return
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error
    }
    const holder = await read(file)
    if (holder === undefined) continue
    if (await isDead(file, holder)) {
      await removeDead(file, holder)
      continue
    }
    if (Date.now() > deadline) {
      throw new ConflictError(
        'database-locked',
        `process ${holder.split(' ')[0]} has been starting the embedded database for too long`,
        {
          suggestions: [`end process ${holder.split(' ')[0]}, then give the command again`],
        },
      )
    }
    await sleep(POLL_MS)
  }
}

/** Process id and, where the system tells it, the moment it started, because ids are used again. */
function holderText(pid: number): string {
  return `${pid} ${startedAt(pid)}`
}

function startedAt(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name in parentheses may hold spaces; the 20th field after it is the start time.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '-'
  } catch {
    return '-'
  }
}

async function isDead(file: string, holder: string): Promise<boolean> {
  const pid = Number(holder.split(' ')[0])
  if (!Number.isInteger(pid) || pid <= 0) {
    const made = await stat(file).catch(() => undefined)
    return made !== undefined && Date.now() - made.mtimeMs > UNWRITTEN_MS
  }
  try {
    process.kill(pid, 0)
  } catch (error) {
    return errorCode(error) === 'ESRCH'
  }
  return holder !== holderText(pid)
}

/** Another waiter may have done the same and taken the lock meanwhile: then it is put back. */
async function removeDead(file: string, holder: string): Promise<void> {
  const aside = `${file}.${randomBytes(6).toString('hex')}`
  try {
    await rename(file, aside)
    if ((await read(aside)) !== holder) await link(aside, file)
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' && errorCode(error) !== 'EEXIST') throw error
  } finally {
    await rm(aside, { force: true })
  }
}

async function read(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}
