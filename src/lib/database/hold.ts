import type { PoolClient } from 'pg'
import { type ConflictError, UnreachableError } from '../errors.js'
import type { Database } from './database.js'

/** The one connection of a process that holds its locks, as long as there are any. */
interface Holder {
  client: Promise<PoolClient>
  /** PostgreSQL gives a lock a second time to whoever has it, so that this process must know its own. */
  locks: Set<string>
  /** The end of its last statement: a connection takes one at a time. */
  turn: Promise<unknown>
  users: number
  release(): void
}

const holders = new WeakMap<Database, Holder>()

/**
 * Runs `work` while nobody else does the same with what `lock` names, in this process or another. PostgreSQL gives
 * the lock free when this process ends, however it ends. All locks of a process are held by one connection.
 * @param taken the error for when somebody else has it
 * @throws `taken`; UnreachableError when the database is away
 */
export async function hold<Result>(
  database: Database,
  lock: string,
  taken: ConflictError,
  work: () => Promise<Result>,
): Promise<Result> {
  const holder = holders.get(database) ?? open(database)
  holder.users += 1
  try {
    await holder.client
    if (holder.locks.has(lock)) throw taken
    holder.locks.add(lock)
    try {
      if (!(await tryLock(holder, lock))) throw taken
      return await work().finally(() => unlock(holder, lock))
    } finally {
      holder.locks.delete(lock)
    }
  } finally {
    holder.users -= 1
    if (holder.users === 0) {
      holders.delete(database)
      holder.release()
    }
  }
}

async function tryLock(holder: Holder, lock: string): Promise<boolean> {
  try {
    const { rows } = await inTurn(holder, (client) =>
      client.query<{ got: boolean }>(
        'select pg_try_advisory_lock(hashtextextended($1, 0)) as got',
        [lock],
      ),
    )
    return rows[0]?.got === true
  } catch (cause) {
    const message = 'the connection to the database was lost'
    throw new UnreachableError('database-lost', message, { cause })
  }
}

/** A lock that is lost with its connection need not be given back. */
async function unlock(holder: Holder, lock: string): Promise<void> {
  await inTurn(holder, (client) =>
    client.query('select pg_advisory_unlock(hashtextextended($1, 0))', [lock]),
  ).catch(() => undefined)
}

async function inTurn<Result>(
  holder: Holder,
  statement: (client: PoolClient) => Promise<Result>,
): Promise<Result> {
  const done = holder.turn.then(async () => statement(await holder.client))
  holder.turn = done.catch(() => undefined)
  return done
}

function open(database: Database): Holder {
  let release = (): void => undefined
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const client = new Promise<PoolClient>((resolve, reject) => {
    database
      .connection(async (connection) => {
        resolve(connection)
        await released
      })
      .catch(reject)
  })
  const holder: Holder = { client, locks: new Set(), turn: Promise.resolve(), users: 0, release }
  holders.set(database, holder)
  return holder
}
