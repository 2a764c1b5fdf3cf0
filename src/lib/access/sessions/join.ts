import { formatKey, pidOf, startOf } from './session-key.js'
import {
  isRefusal,
  readAuthenticated,
  readAuthorized,
  readDisconnection,
  readReceived,
  readRule,
} from './messages.js'
import type { LogRecord, LogSink, SeenSession, SessionFlag } from './types.js'

/** A connection that has not ended yet. */
interface Open {
  key: number
  at: number | undefined
  address: string | null | undefined
  isFromStart: boolean
  isAuthorized: boolean
  role: string | null
  database: string | null
  application: string | null
  method: string | null
  identity: string | null
  rule: string | null
  tls: string | null
  isReplication: boolean
  isAmbiguous: boolean
  failure: { code: string | null; reason: string } | null
  isRefused: boolean
  end: number | undefined
  isForged: boolean
  lines: number
  lastLine: number
}

/** Connections that are kept in mind; of more, those that did nothing are taken for ended. */
const MOST_OPEN = 100_000
/** How many more connections must end before an end is believed of which nothing but its text is known. */
const MOST_ENDING = 4096
/** How much of what PostgreSQL said is kept. */
const REASON_LENGTH = 300
/** While somebody is being let in. Empty: update_process_title is off. */
const AT_THE_DOOR = ['', 'authentication', 'startup', 'initializing']
/** By these any user can write into the log whatever they like: RAISE LOG. */
const FORGED: SessionFlag = 'forged-record'

/**
 * Joins records to connections. What a record says is believed only where the connection can be in that state: users can
 * write any text into the log by RAISE LOG, but not before they are let in, and not outside a transaction.
 */
export class SessionJoin implements LogSink {
  readonly #server: string
  readonly #give: (session: SeenSession) => void
  readonly #open = new Map<number, Open>()
  #last: Open | undefined
  #doubts = 0
  #records = 0
  #connections = 0
  readonly #ending: Open[] = []

  constructor(server: string, give: (session: SeenSession) => void) {
    this.#server = server
    this.#give = give
  }

  /** Records that could not be read. */
  get doubts(): number {
    return this.#doubts
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
    open.isForged = isDoubtful
    open.isAmbiguous = isDoubtful
    open.address = received.address
    open.lines = 1
    open.lastLine = 1
  }

  #admit(record: LogRecord): void {
    const open = this.#find(record.key) ?? this.#begin(record, false)
    const authenticated = readAuthenticated(record.message)
    if (authenticated !== undefined) {
      open.identity = authenticated.identity
      open.method = authenticated.method
      open.rule = authenticated.rule
      return
    }
    const authorized = readAuthorized(record.message, record)
    if (authorized === undefined) return
    open.isAuthorized = true
    open.role = authorized.user
    open.database = authorized.database
    open.application = authorized.application
    open.tls = authorized.tls
    open.isReplication = authorized.isReplication
    // A password proves the name itself, whatever else can be read into the line.
    open.isAmbiguous ||= authorized.isAmbiguous && open.identity !== authorized.user
  }

  #isAtTheDoor({ key, display }: LogRecord): boolean {
    if (display !== undefined && !AT_THE_DOOR.includes(display)) return false
    return this.#find(key)?.isAuthorized !== true
  }

  #disconnect(record: LogRecord): void {
    const told = readDisconnection(record.message)
    if (told === undefined || record.isInTransaction === true) return this.#mark(record.key)
    const open = this.#find(record.key) ?? this.#begin(record, false)
    const startMs = (startOf(record.key) ?? 0) * 1000
    open.end = record.at ?? (startMs === 0 ? undefined : startMs + told.ms)
    open.isRefused = false
    open.at ??= open.end === undefined ? undefined : open.end - told.ms
    if (!open.isAuthorized) {
      open.isAuthorized = true
      open.role ??= record.user ?? null
      open.database ??= record.database ?? null
      open.application ??= record.application ?? null
      open.isAmbiguous = record.user === undefined
    }
    const whole = `${open.application ?? ''} SSL enabled (`
    if (open.tls !== null && record.application?.startsWith(whole) === true) {
      // The name of the application goes on where the message seemed to speak of TLS.
      open.tls = null
      open.isForged = true
    }
    if (record.isInTransaction !== undefined) return this.#close(open, false)
    this.#ending.push(open)
    const first = this.#ending.length > MOST_ENDING ? this.#ending.shift() : undefined
    if (first?.end !== undefined) this.#close(first, false)
  }

  #fail(record: LogRecord): void {
    const open = this.#find(record.key)
    if (open === undefined) return
    const { message, code, user, database, detail, display } = record
    open.failure = { code: code ?? null, reason: message.slice(0, REASON_LENGTH) }
    open.role ??= user ?? null
    open.database ??= database ?? null
    open.rule ??= detail === undefined ? null : (readRule(detail) ?? null)
    open.isRefused = !open.isAuthorized || isRefusal(message, display)
    if (!open.isRefused) return
    open.end = record.at
    // What the log of stderr says about it comes in further lines.
    if (display !== undefined) this.#close(open, false)
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

  #find(key: number): Open | undefined {
    const open = this.#open.get(pidOf(key))
    return open?.key === key ? open : undefined
  }

  #begin({ key, at }: LogRecord, isFromStart: boolean): Open {
    const before = this.#open.get(pidOf(key))
    if (before !== undefined) this.#close(before, true)
    if (this.#open.size >= MOST_OPEN) this.#makeRoom()
    const start = startOf(key)
    const open: Open = {
      key,
      at: isFromStart
        ? (at ?? (start === undefined ? undefined : start * 1000))
        : start === undefined
          ? undefined
          : start * 1000,
      address: undefined,
      isFromStart,
      isAuthorized: false,
      role: null,
      database: null,
      application: null,
      method: null,
      identity: null,
      rule: null,
      tls: null,
      isReplication: false,
      isAmbiguous: false,
      failure: null,
      isRefused: false,
      end: undefined,
      isForged: false,
      lines: 0,
      lastLine: 0,
    }
    this.#open.set(pidOf(key), open)
    return open
  }

  #makeRoom(): void {
    for (const open of this.#open.values()) if (!open.isAuthorized) return this.#close(open, false)
    const [first] = this.#open.values()
    if (first !== undefined) this.#close(first, false)
  }

  /** @param isOver whether it is known to be over, although nothing said so */
  #close(open: Open, isOver: boolean): void {
    if (this.#open.get(pidOf(open.key)) !== open) return
    this.#open.delete(pidOf(open.key))
    if (this.#last === open) this.#last = undefined
    this.#give(this.#seen(open, isOver))
  }

  #seen(open: Open, isOver: boolean): SeenSession {
    const marks: SessionFlag[] = []
    if (open.isAuthorized && open.isFromStart && open.method === null) marks.push('trust')
    if (open.isAuthorized && isOver && open.end === undefined) marks.push('no-disconnection')
    if (open.isFromStart && open.lastLine > open.lines) marks.push('line-gap')
    if (open.isForged) marks.push(FORGED)
    if (open.isAmbiguous) marks.push('ambiguous-name')
    const { role, database, application, method, identity, rule, tls, address, isReplication } =
      open
    return {
      ...{
        server: this.#server,
        id: formatKey(open.key),
        role,
        database,
        application,
        method,
        identity,
      },
      ...{ rule, tls, address, isReplication, failure: open.failure, marks },
      start: new Date(open.at ?? open.end ?? 0),
      end: open.end === undefined ? null : new Date(open.end),
      outcome: outcomeOf(open, isOver),
    }
  }
}

function outcomeOf(open: Open, isOver: boolean): SeenSession['outcome'] {
  if (open.isRefused) return 'refused'
  if (!open.isAuthorized) return 'probe'
  return open.end === undefined && !isOver ? 'open' : 'ended'
}
