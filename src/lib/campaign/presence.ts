import type { PoolClient } from 'pg'
import { UnreachableError } from '../errors.js'
import type { Workspace } from '../workspace.js'
import { CHANNEL } from './store.js'

/** Of what a process is a part while it runs; others see by it that somebody is there. */
export type Part = { campaign: string } | 'workers'

/** A process that runs targets, as others see it. */
export interface Presence {
  /** Its name: unlike any other, also of an earlier or later process. */
  readonly runner: string
  /** Aborted when the connection is lost that proves its presence: others may take its targets. */
  readonly lost: AbortSignal
  /** Holds another lock as long as it is there, so that others know by it of something that belongs to it. */
  hold(lock: string): Promise<void>
  /** Waits for news about a campaign, for `ms` milliseconds, or until `signal` is aborted. */
  rest(ms: number, signal: AbortSignal): Promise<void>
}

/**
 * Runs `work` while a connection of its own holds a lock by the runner's name. PostgreSQL gives the lock free when
 * the process ends, however it ends, and by that others know that its targets are to be given back.
 * Throws UnreachableError when the connection is lost and `work` ended by it.
 */
export async function withPresence<Result>(
  workspace: Workspace,
  part: Part,
  work: (presence: Presence) => Promise<Result>,
): Promise<Result> {
  const { database, actor, random } = workspace
  const runner = `${actor.host}:${process.pid}:${random.bytes(6).toString('hex')}`
  return database.connection(async (client) => {
    const lost = new AbortController()
    const lose = () => lost.abort(presenceLost())
    const bell = new Bell(client)
    client.once('end', lose)
    client.once('error', lose)
    try {
      await client.query('select pg_advisory_lock(hashtextextended($1, 0))', [runnerLock(runner)])
      await client.query('select pg_advisory_lock_shared(hashtextextended($1, 0))', [
        partLock(part),
      ])
      await client.query(`listen ${CHANNEL}`)
      const rest = (ms: number, signal: AbortSignal) =>
        bell.wait(ms, AbortSignal.any([signal, lost.signal]))
      let before: Promise<unknown> = Promise.resolve()
      const hold = async (lock: string) => {
        // One statement at a time on this connection.
        before = before.then(() =>
          client.query('select pg_advisory_lock(hashtextextended($1, 0))', [lock]),
        )
        await before
      }
      return await work({ runner, lost: lost.signal, hold, rest })
    } finally {
      bell.close()
      client.removeListener('end', lose)
      client.removeListener('error', lose)
      await client.query(`unlisten ${CHANNEL}; select pg_advisory_unlock_all()`).catch(() => {})
    }
  })
}

/** What is locked by a runner while it lives. `releaseLost` of the targets' store asks for the same. */
function runnerLock(runner: string): string {
  return `cleverctl.campaign.runner ${runner}`
}

/** What everybody shares who runs a campaign, or is one of the workers. */
function partLock(part: Part): string {
  return part === 'workers'
    ? 'cleverctl.campaign.workers'
    : `cleverctl.campaign.run ${part.campaign}`
}

/** Whether anybody is there who runs a campaign, or one of the workers. */
export async function isAnybodyThere({ database }: Workspace, part: Part): Promise<boolean> {
  // Taken and given back with the statement, when nobody has it.
  const { rows } = await database.query<{ isFree: boolean }>(
    'select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as "isFree"',
    [partLock(part)],
  )
  return rows[0]?.isFree === false
}

/** Rings at each notification on a connection. */
class Bell {
  readonly #client: PoolClient
  readonly #waiting = new Set<() => void>()
  #hasRung = false

  constructor(client: PoolClient) {
    this.#client = client
    client.on('notification', this.#ring)
  }

  /** Waits for a ring; one that came since the last wait counts. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#hasRung && !signal.aborted)
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer)
          signal.removeEventListener('abort', wake)
          this.#waiting.delete(wake)
          resolve()
        }
        const timer = setTimeout(wake, ms)
        signal.addEventListener('abort', wake)
        this.#waiting.add(wake)
      })
    this.#hasRung = false
  }

  close(): void {
    this.#client.removeListener('notification', this.#ring)
  }

  readonly #ring = (): void => {
    this.#hasRung = true
    for (const wake of [...this.#waiting]) wake()
  }
}

function presenceLost(): UnreachableError {
  return new UnreachableError(
    'presence-lost',
    'the connection to the database was lost by which others see that this process is there',
    { suggestions: ['give the command again: it goes on where it stopped'] },
  )
}
