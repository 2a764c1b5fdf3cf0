import { SessionJoin, type JoinState } from '../join.js'
import { LogFeed, type LogKind, type LogPoint } from '../read-log.js'
import type { NotRead, SessionTaker } from '../types.js'
import { hasHead, headOf, LEAST_HEAD_BYTES, type LogHead } from './log-head.js'
import { cutOff, resume, type LogSource } from './resume.js'

/** A log as it lies there. */
export interface FoundLog {
  kind: LogKind
  changedAt: Date
  /** Bytes of the file. */
  size: number
  isPacked: boolean
  /** As much of its beginning as makes its head; empty where it cannot be unpacked. */
  beginning: Buffer
  source: LogSource
}

/** A log that was read before. */
export interface KnownLog {
  head: LogHead
  /** Its name when it was read last. */
  name: string
  /** When it was changed, by the clock of its machine. */
  changedAt: Date
  /** Whether nothing more is written to it. */
  isDone: boolean
  /** Whether a record of PostgreSQL was found in it. Without one it may have been read in a wrong way. */
  hasRecord: boolean
  point: LogPoint
}

/** What is known of a server's logs. */
export interface KnownServer {
  /** How often it was written down. */
  generation: number
  join: JoinState | undefined
  /** The one that was changed last at the end. */
  logs: readonly KnownLog[]
}

/** A log that is to be read. */
export interface PlannedLog {
  found: FoundLog
  known: KnownLog
  isLast: boolean
}

interface Place extends KnownLog {
  /** While it is being read. */
  feed?: LogFeed | undefined
}

/** The logs of one server, read one after the other, and again from where reading stopped. */
export class ServerReading {
  readonly server: string
  readonly join: SessionJoin
  readonly #taker: SessionTaker
  readonly #goesOn: boolean
  readonly #places: Place[]
  #current: string
  /** How many records there were before the log that is being read. */
  #recordsBefore = 0

  /**
   * @param goesOn whether the logs are read on later; then what has no end yet is left
   * @param known from an earlier reading
   */
  constructor(
    server: string,
    taker: SessionTaker,
    { goesOn, known }: { goesOn: boolean; known: KnownServer | undefined },
  ) {
    this.server = server
    this.#taker = taker
    this.#goesOn = goesOn
    this.#places = known?.logs.map((log) => ({ ...log })) ?? []
    this.#current = this.#places.at(-1)?.name ?? ''
    this.join = new SessionJoin(
      server,
      (session) => taker.give(session, this.#current),
      known?.join,
    )
  }

  /** Logs that were read and may have gone on since. */
  get unfinished(): readonly KnownLog[] {
    return this.#places.filter(({ isDone }) => !isDone)
  }

  /** All logs that were read. */
  get logs(): readonly KnownLog[] {
    return this.#places.map(({ feed, ...place }) => ({
      ...place,
      hasRecord: place.hasRecord || (feed !== undefined && this.#hasFoundRecord()),
      point: feed?.point() ?? place.point,
    }))
  }

  /**
   * What is to be read of logs, in that order, and which are gone before they were read to their end.
   * Those that are too short to be known again are left until they have more.
   */
  plan(found: readonly FoundLog[]): { logs: PlannedLog[]; notRead: NotRead[] } {
    const sorted = found
      .filter((log) => !this.#goesOn || log.isPacked || log.beginning.length >= LEAST_HEAD_BYTES)
      .sort(byAge)
    const planned = new Map<Place, FoundLog>()
    for (const log of sorted) {
      const place = this.#placeOf(log)
      const other = planned.get(place)
      // While a log is copied or packed there are two of it, of which one is not whole.
      const isWhole = other?.isPacked || (!log.isPacked && log.size > (other?.size ?? 0))
      if (other === undefined || isWhole) planned.set(place, log)
    }
    const last = sorted.at(-1)
    const gone = this.#places.filter((place) => !place.isDone && !planned.has(place))
    for (const place of gone) place.isDone = true
    return {
      logs: [...planned]
        .filter(([{ isDone, point }, log]) => !isDone || (!log.isPacked && log.size > point.offset))
        .map(([known, log]) => ({ found: log, known, isLast: log === last })),
      notRead: gone.map(({ name, point }) => ({
        log: name,
        reason: `it is gone: ${point.offset} bytes of it were read, and whatever came then is lost`,
      })),
    }
  }

  /**
   * Reads a log from where reading stopped to its end.
   * @throws what {@link resume} and the source throw; what was read until then is not read again
   */
  async read({ found, known, isLast }: PlannedLog): Promise<void> {
    const place = known as Place
    const { kind, size, isPacked, changedAt, source } = found
    const { offset } = place.point
    if (!isPacked && size < offset) {
      place.point = { offset: size, reader: null }
      throw cutOff(size, offset)
    }
    Object.assign(place, { name: kind.name, changedAt })
    this.#current = kind.name
    this.#recordsBefore = this.join.records
    const feed = new LogFeed(kind, this.join, place.point)
    place.feed = feed
    try {
      await resume(feed, { head: place.head, isPacked }, source, () => this.#taker.settle())
      place.isDone = isPacked || !isLast || !this.#goesOn
      if (place.isDone) feed.finish()
    } finally {
      place.hasRecord ||= this.#hasFoundRecord()
      place.point = feed.point()
      place.feed = undefined
    }
    await this.#taker.settle()
  }

  /** The logs end here, for now. @returns what was wrong with them as a whole */
  finish(): NotRead[] {
    if (this.#goesOn) this.join.pause()
    else this.join.finish()
    const { records, connections } = this.join
    const doubts = this.join.takeDoubts()
    const tell = (reason: string) => [{ log: this.server, reason }]
    if (records === 0) return tell('no record of PostgreSQL is in it')
    if (connections === 0)
      return tell(
        'nothing about connections is in it: log_connections is off, or lc_messages is not English',
      )
    if (doubts === 0) return []
    const count = doubts === 1 ? '1 record' : `${doubts} records`
    return tell(`${count} can be read in no way, or in more than one`)
  }

  #hasFoundRecord(): boolean {
    return this.join.records > this.#recordsBefore
  }

  #placeOf({ kind, changedAt, beginning }: FoundLog): Place {
    const known = this.#places
      .filter(({ head }) => head.bytes > 0 && hasHead(beginning, head))
      .sort((one, other) => other.head.bytes - one.head.bytes)[0]
    if (known !== undefined) return known
    const place: Place = {
      ...{ head: headOf(beginning), name: kind.name, changedAt, isDone: false },
      hasRecord: false,
      point: { offset: 0, reader: null },
    }
    this.#places.push(place)
    return place
  }
}

function byAge(one: FoundLog, other: FoundLog): number {
  return (
    one.changedAt.getTime() - other.changedAt.getTime() ||
    (one.kind.name < other.kind.name ? -1 : 1)
  )
}
