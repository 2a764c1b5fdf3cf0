import { isBefore } from './collect.js'
import type { ShownSession } from './types.js'

/** Sessions that wait for whoever reads them; each once, however much changes meanwhile. */
export class ShownQueue {
  readonly #since: Date
  readonly #give: (session: ShownSession) => Promise<void>
  readonly #waiting = new Set<ShownSession>()
  #given = 0

  /** @param since sessions that were over before are left out */
  constructor(since: Date, give: (session: ShownSession) => Promise<void>) {
    this.#since = since
    this.#give = give
  }

  /** How many were given. */
  get given(): number {
    return this.#given
  }

  add(session: ShownSession): void {
    if (!isBefore(session, this.#since)) this.#waiting.add(session)
  }

  /** Gives what waits. */
  async flush(): Promise<void> {
    for (const session of this.#waiting) {
      this.#waiting.delete(session)
      this.#given += 1
      await this.#give(session)
    }
  }
}
