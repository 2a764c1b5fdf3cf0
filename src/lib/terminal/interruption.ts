import { setMaxListeners } from 'node:events'
import { CancelledError } from '../errors.js'

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/**
 * Turns SIGINT and SIGTERM into an abort of `signal`, so that the work can release what it holds.
 * The second signal ends the process at once.
 */
export class Interruption {
  readonly #controller = new AbortController()
  readonly #listeners = SIGNALS.map((name) => [name, () => this.#receive(name)] as const)
  #reason: CancelledError | undefined

  constructor() {
    // Everything that is under way listens, of a fleet some hundreds: no leak to be warned of.
    setMaxListeners(0, this.#controller.signal)
    for (const [name, listener] of this.#listeners) process.on(name, listener)
  }

  /** Aborted by the first SIGINT or SIGTERM; its reason is the CancelledError to throw. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Why the command was asked to stop; undefined while it was not. */
  get reason(): CancelledError | undefined {
    return this.#reason
  }

  /**
   * Waits for `work`; once interrupted, for `graceMs` milliseconds longer.
   * Throws the CancelledError when the work has not ended by then.
   */
  async guard<Result>(work: Promise<Result>, graceMs: number): Promise<Result> {
    const ended = new AbortController()
    let timer: NodeJS.Timeout | undefined
    const overdue = new Promise<never>((_resolve, reject) => {
      const wait = () => {
        timer = setTimeout(() => reject(this.signal.reason as CancelledError), graceMs)
      }
      this.signal.addEventListener('abort', wait, { signal: ended.signal })
    })
    try {
      return await Promise.race([work, overdue])
    } finally {
      ended.abort()
      clearTimeout(timer)
    }
  }

  /** Gives the signals back to the system. */
  dispose(): void {
    for (const [name, listener] of this.#listeners) process.off(name, listener)
  }

  #receive(name: (typeof SIGNALS)[number]): void {
    if (this.#reason) process.exit(this.#reason.exitCode)
    this.#reason = new CancelledError(name)
    this.#controller.abort(this.#reason)
  }
}
