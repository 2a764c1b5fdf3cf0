import type { SessionTaker } from '../types.js'
import { ServerReading, type KnownServer } from './server-reading.js'
import type { KeptServer } from './store.js'

/** How logs are read. */
export interface ReadingMode {
  /** Whether where reading stops is written down. */
  isKept: boolean
  /** Whether logs are read on later, in this process or by another. */
  goesOn: boolean
  /** Whether they are read from their beginning, whatever is written down. */
  isAnew: boolean
  since: Date
}

/** The readings of all servers that a command looks at. */
export class Readings {
  readonly #taker: SessionTaker
  readonly #mode: ReadingMode
  readonly #known: ReadonlyMap<string, KnownServer>
  readonly #generations: Map<string, number>
  readonly #readings = new Map<string, ServerReading>()
  /** What was written down of a server last, and of each of its logs. */
  readonly #kept = new Map<string, string>()

  /** @param known of servers, from the readings before these */
  constructor(taker: SessionTaker, mode: ReadingMode, known: ReadonlyMap<string, KnownServer>) {
    this.#taker = taker
    this.#mode = mode
    this.#known = known
    this.#generations = new Map([...known].map(([server, { generation }]) => [server, generation]))
  }

  /** The reading of a server. */
  reading(server: string): ServerReading {
    const begun = this.#readings.get(server)
    if (begun !== undefined) return begun
    const { goesOn, isAnew } = this.#mode
    const known = isAnew ? undefined : this.#known.get(server)
    const made = new ServerReading(server, this.#taker, { goesOn, known })
    this.#readings.set(server, made)
    return made
  }

  /** The moment from which logs of a server are to be looked at: those that were not read to their end, too. */
  since(server: string): Date {
    const unfinished = this.reading(server).unfinished.map(({ changedAt }) => changedAt.getTime())
    // A log of that very moment is wanted as well.
    return new Date(Math.min(this.#mode.since.getTime(), ...unfinished) - 1)
  }

  /**
   * What has to be written down since this was asked last. A log without any record is not: with another form or prefix
   * it has to be read from its beginning.
   */
  moved(): KeptServer[] {
    return this.#mode.isKept
      ? [...this.#readings.values()].flatMap((each) => this.#movedOf(each))
      : []
  }

  #movedOf({ server, join, logs }: ServerReading): KeptServer[] {
    if (join.records === 0) return []
    const text = JSON.stringify(join.state())
    const changed = logs
      .filter(({ head, hasRecord }) => head.bytes > 0 && hasRecord)
      .map(({ point, hasRecord, ...log }) => ({
        ...{ ...log, offset: point.offset, reader: JSON.stringify(point.reader) },
      }))
      .filter((log) => this.#isNew(`${server} ${log.head.sha256}`, JSON.stringify(log)))
    if (!this.#isNew(server, text) && changed.length === 0) return []
    const generation = (this.#generations.get(server) ?? 0) + 1
    this.#generations.set(server, generation)
    return [{ server, generation, join: text, logs: changed }]
  }

  #isNew(key: string, text: string): boolean {
    const isNew = this.#kept.get(key) !== text
    this.#kept.set(key, text)
    return isNew
  }
}
