import { endBy, failBy, letIn, newConnection, sessionOf, type Connection } from './connection.js'
import { pidOf, startOf } from './session-key.js'
import { readDisconnection, readReceived, readRule } from './messages.js'
import type { LogRecord, LogSink, SeenSession } from './types.js'

/** What a join knows, as JSON, so that another one can go on. */
export interface JoinState {
  connections: readonly Connection[]
  /** Keys of those of which only a text says that they are over, in that order. */
  ending: readonly number[]
  /** How many records there were, of any kind and about connections. */
  records: number
  ofConnections: number
}

/** Connections that are kept in mind; of more, those that did nothing are taken for ended. */
const MOST_OPEN = 100_000
/** How many more connections must end before an end is believed of which nothing but its text is known. */
const MOST_ENDING = 4096
/** Nobody takes longer to be let in: authentication_timeout is ten minutes at most. */
const LONGEST_AT_THE_DOOR_MS = 600_000
/** While somebody is being let in. Empty: update_process_title is off. */
const AT_THE_DOOR = ['', 'authentication', 'startup', 'initializing']
/**
 * Joins records to connections. What a record says is believed only where the connection can be in that state: users can
 * write any text into the log by RAISE LOG, but not before they are let in, and not outside a transaction.
 */
export class SessionJoin implements LogSink {
  readonly #server: string
  readonly #give: (session: SeenSession) => void
  readonly #open: Map<number, Connection>
  #last: Connection | undefined
  #doubts = 0
  #records: number
  #connections: number
  /** When the last connection came in. */
  #latest = 0
  readonly #ending: Connection[]

  /** @param state of a join that this one goes on for */
  constructor(
    server: string,
    give: (session: SeenSession) => void,
    state: JoinState = { connections: [], ending: [], records: 0, ofConnections: 0 },
  ) {
    this.#server = server
    this.#give = give
    this.#open = new Map(state.connections.map((each) => [pidOf(each.key), each]))
    this.#ending = state.ending.flatMap((key) => this.#find(key) ?? [])
    this.#records = state.records
    this.#connections = state.ofConnections
  }

  /** What another join needs to go on from here. */
  state(): JoinState {
    return {
      connections: [...this.#open.values()],
      ending: this.#ending.filter(({ key }) => this.#find(key) !== undefined).map(({ key }) => key),
      records: this.#records,
      ofConnections: this.#connections,
    }
  }

  /** How many records could not be read, since this was asked last. */
  takeDoubts(): number {
    const doubts = this.#doubts
    this.#doubts = 0
    return doubts
  }

  /** Records of any kind. */
  get records(): number {
    return this.#records
  }

  /** Records about connections. */
  get connections(): number {
    return this.#connections
  }

  count(key: number, line: number): void {
    this.#records += 1
    const open = this.#last?.key === key ? this.#last : this.#find(key)
    if (open === undefined) return
    this.#last = open
    open.lines += 1
    if (line > open.lastLine) open.lastLine = line
    // It goes on, so whatever said that it was over was not PostgreSQL.
    if (open.end !== undefined && !open.isRefused) {
      open.end = undefined
      open.isForged = true
    }
  }

  doubt(key: number | undefined): void {
    this.#doubts += 1
    const open = key === undefined ? undefined : this.#find(key)
    if (open !== undefined) open.isForged = true
  }

  take(record: LogRecord): void {
    const { message, key, severity } = record
    if (severity === 'FATAL') return this.#fail(record)
    if (severity === 'DETAIL') return this.#explain(record)
    if (severity !== 'LOG') return
    this.#connections += 1
    if (message.startsWith('connection received: ')) this.#receive(record)
    else if (message.startsWith('disconnection: ')) this.#disconnect(record)
    else if (message.startsWith('database system is ready')) this.#restart(record)
    else if (this.#isAtTheDoor(record)) this.#admit(record)
    else this.#mark(key)
  }

  /** The logs end here. */
  finish(): void {
    for (const open of [...this.#open.values()]) this.#close(open, false)
  }

  /** The logs go on later: gives who is in, and what seems to be over, once each. */
  pause(): void {
    for (const open of [...this.#open.values()]) {
      if (open.isAuthorized || open.isRefused) this.#tell(open, false)
      else if ((open.at ?? Infinity) < this.#latest - LONGEST_AT_THE_DOOR_MS)
        this.#close(open, false)
    }
  }

  /**
   * Ends sessions that have no end in the logs and are not there any more: they have hidden it.
   * @param times so often in a row such a session has to be gone: what is over may be in the log a moment later
   */
  endGone(isGone: (id: string, start: Date) => boolean, times: number): void {
    for (const open of [...this.#open.values()]) {
      if (!open.isAuthorized || open.end !== undefined) continue
      const { id, start } = sessionOf(open, this.#server, false)
      open.missed = isGone(id, start) ? open.missed + 1 : 0
      if (open.missed >= times) this.#close(open, true)
    }
  }

  #receive(record: LogRecord): void {
    const received = readReceived(record.message)
    if (received === undefined || record.user !== undefined) return this.#mark(record.key)
    const before = this.#open.get(pidOf(record.key))
    // Whoever is let in already and says so again does not begin anew.
    const isSame = before?.key === record.key && startOf(record.key) !== undefined
    if (isSame && before.isFromStart) return this.#mark(record.key)
    // Without a session id nothing tells a new process of that number from a user who writes that there is one.
    const isDoubtful =
      startOf(record.key) === undefined && before?.isAuthorized === true && before.end === undefined
    const open = this.#begin(record, true)
    this.#latest = Math.max(this.#latest, open.at ?? 0)
    open.isForged = isDoubtful
    open.isAmbiguous = isDoubtful
    open.address = received.address
    open.lines = 1
    open.lastLine = 1
  }

  #admit(record: LogRecord): void {
    const open = this.#find(record.key) ?? this.#begin(record, false)
    letIn(open, record)
  }

  #isAtTheDoor({ key, display }: LogRecord): boolean {
    if (display !== undefined && !AT_THE_DOOR.includes(display)) return false
    return this.#find(key)?.isAuthorized !== true
  }

  #disconnect(record: LogRecord): void {
    const told = readDisconnection(record.message)
    if (told === undefined || record.isInTransaction === true) return this.#mark(record.key)
    const open = this.#find(record.key) ?? this.#begin(record, false)
    endBy(open, record, told.ms)
    if (record.isInTransaction !== undefined) return this.#close(open, false)
    this.#ending.push(open)
    const first = this.#ending.length > MOST_ENDING ? this.#ending.shift() : undefined
    if (first?.end !== undefined) this.#close(first, false)
  }

  #fail(record: LogRecord): void {
    const open = this.#find(record.key)
    if (open === undefined) return
    failBy(open, record)
    if (!open.isRefused) return
    // What the log of stderr says about it comes in further lines.
    if (record.display !== undefined) this.#close(open, false)
    else this.#ending.push(open)
  }

  #explain({ key, message }: LogRecord): void {
    const open = this.#find(key)
    if (open?.failure) open.rule ??= readRule(message) ?? null
  }

  /** Everything that was open is over: the server has begun anew. */
  #restart({ user, key }: LogRecord): void {
    if (user !== undefined || this.#find(key) !== undefined) return this.#mark(key)
    for (const open of [...this.#open.values()])
      if ((startOf(open.key) ?? 0) <= (startOf(key) ?? -1)) this.#close(open, true)
  }

  #mark(key: number): void {
    const open = this.#find(key)
    if (open === undefined) this.#doubts += 1
    else open.isForged = true
  }

  #find(key: number): Connection | undefined {
    const open = this.#open.get(pidOf(key))
    return open?.key === key ? open : undefined
  }

  #begin(record: LogRecord, isFromStart: boolean): Connection {
    const pid = pidOf(record.key)
    const before = this.#open.get(pid)
    if (before !== undefined) this.#close(before, true)
    if (this.#open.size >= MOST_OPEN) this.#makeRoom()
    const open = newConnection(record, isFromStart)
    this.#open.set(pid, open)
    return open
  }

  #makeRoom(): void {
    for (const open of this.#open.values()) if (!open.isAuthorized) return this.#close(open, false)
    const [first] = this.#open.values()
    if (first !== undefined) this.#close(first, false)
  }

  #close(open: Connection, isOver: boolean): void {
    if (this.#open.get(pidOf(open.key)) !== open) return
    this.#open.delete(pidOf(open.key))
    if (this.#last === open) this.#last = undefined
    this.#tell(open, isOver)
  }

  /** Gives a session, unless the same was said of it before. @param isOver see {@link sessionOf} */
  #tell(open: Connection, isOver: boolean): void {
    const session = sessionOf(open, this.#server, isOver)
    const told = [session.outcome, ...session.marks].join(' ')
    if (open.told === told) return
    open.told = told
    this.#give(session)
  }
}
