import type { ShownSession } from './types.js'

/** Keeps the sessions that are to be listed: those that stand out first, then the latest. */
export class SessionList {
  readonly #limit: number
  readonly #since: Date
  #kept: ShownSession[] = []
  #total = 0
  #droppedFlagged = 0

  /** @param limit how many are listed */
  constructor(limit: number, since: Date) {
    this.#limit = limit
    this.#since = since
  }

  add(session: ShownSession): void {
    if (isBefore(session, this.#since)) return
    this.#total += 1
    this.#kept.push(session)
    if (this.#kept.length > 4 * this.#limit) this.#kept = this.#best(2 * this.#limit)
  }

  /** How many there were. */
  get total(): number {
    return this.#total
  }

  /** How many of them have a flag. */
  get flagged(): number {
    return this.#kept.filter(hasFlag).length + this.#droppedFlagged
  }

  /** Those that are listed, by their start. */
  listed(): ShownSession[] {
    return this.#best(this.#limit)
  }

  #best(count: number): ShownSession[] {
    const flagged = this.#kept.filter(hasFlag)
    const dropped = Math.max(0, flagged.length - count)
    if (this.#kept.length > 4 * this.#limit) this.#droppedFlagged += dropped
    const room = Math.max(0, count - flagged.length)
    const others = this.#kept.filter((session) => !hasFlag(session))
    const best = [...flagged.slice(-count), ...(room === 0 ? [] : others.slice(-room))]
    return best.sort((one, other) =>
      one.start < other.start ? -1 : one.start > other.start ? 1 : 0,
    )
  }
}

/**
 * Since when sessions are shown. What is recorded for the first time is shown whenever it was: a host that was out of
 * reach for longer would otherwise have its findings recorded and told to nobody.
 */
export function shownSince(
  { isRecording, isAnew }: { isRecording: boolean; isAnew: boolean },
  since: Date,
): Date {
  return isRecording && !isAnew ? new Date(0) : since
}

/** Whether a session was over before that. */
export function isBefore({ start, end, outcome }: ShownSession, since: Date): boolean {
  return (end ?? start) < since.toISOString() && outcome !== 'open'
}

function hasFlag({ flags }: ShownSession): boolean {
  return flags.length > 0
}
