import pLimit from 'p-limit'

/**
 * argon2 occupies one of the four threads that also do this process's file and name look-ups, and
 * 19 MiB, while it runs.
 */
const AT_ONCE = 2
/** At some 40 ms each on two threads the last in the queue waits two thirds of a second. */
const WAITING_MAX = 32

/** Bounds how many passwords are verified at once and how many logins wait for it. */
export class PasswordQueue {
  readonly #limit = pLimit(AT_ONCE)

  /** Runs `work` when its turn comes, or gives `busy` at once when too many are waiting. */
  async run<Result>(work: () => Promise<Result>): Promise<Result | 'busy'> {
    if (this.#limit.pendingCount >= WAITING_MAX) return 'busy'
    return this.#limit(work)
  }
}

/** The queue of this process: threads and memory are what it shares out, and those are the process's. */
export const passwordQueue = new PasswordQueue()
