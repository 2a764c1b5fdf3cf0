import { isRefusal, readAuthenticated, readAuthorized, readRule } from './messages.js'
import { formatKey, startOf } from './session-key.js'
import type { LogRecord, SeenSession, SessionFlag } from './types.js'

/** What is known of a connection so far; as JSON it is kept between two readings. */
export interface Connection {
  key: number
  at?: number | undefined
  /** Null: by the unix socket. */
  address?: string | null | undefined
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
  end?: number | undefined
  isForged: boolean
  lines: number
  lastLine: number
  /** How often in a row it was not among those who are in, although nothing said that it is over. */
  missed: number
  /** What was said of it last. */
  told?: string | undefined
}

/** How much of what PostgreSQL said is kept. */
const REASON_LENGTH = 300
/** By these any user can write into the log whatever they like: RAISE LOG. */
const FORGED: SessionFlag = 'forged-record'

/** A connection of which one record is known. @param isFromStart whether the record says that it has just come in */
export function newConnection({ key, at }: LogRecord, isFromStart: boolean): Connection {
  const start = startOf(key)
  const startMs = start === undefined ? undefined : start * 1000
  return {
    key,
    at: isFromStart ? (at ?? startMs) : startMs,
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
    isForged: false,
    lines: 0,
    lastLine: 0,
    missed: 0,
  }
}

/** Takes what is said while somebody is let in: how it was proven who it is, and who it is. */
export function letIn(open: Connection, record: LogRecord): void {
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

/** Takes a fatal error: it keeps somebody out, or ends what had begun. */
export function failBy(open: Connection, record: LogRecord): void {
  const { message, code, user, database, detail, display } = record
  open.failure = { code: code ?? null, reason: message.slice(0, REASON_LENGTH) }
  open.role ??= user ?? null
  open.database ??= database ?? null
  open.rule ??= detail === undefined ? null : (readRule(detail) ?? null)
  open.isRefused = !open.isAuthorized || isRefusal(message, display)
  if (open.isRefused) open.end = record.at
}

/** Takes a disconnection. @param ms how long the session was */
export function endBy(open: Connection, record: LogRecord, ms: number): void {
  const startMs = (startOf(record.key) ?? 0) * 1000
  open.end = record.at ?? (startMs === 0 ? undefined : startMs + ms)
  open.isRefused = false
  open.at ??= open.end === undefined ? undefined : open.end - ms
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
}

/** The session that a connection is. @param isOver whether it is known to be over, although nothing said so */
export function sessionOf(open: Connection, server: string, isOver: boolean): SeenSession {
  const marks: SessionFlag[] = []
  if (open.isAuthorized && open.isFromStart && open.method === null) marks.push('trust')
  if (open.isAuthorized && isOver && open.end === undefined) marks.push('no-disconnection')
  if (open.isFromStart && open.lastLine > open.lines) marks.push('line-gap')
  if (open.isForged) marks.push(FORGED)
  if (open.isAmbiguous) marks.push('ambiguous-name')
  const { role, database, application, method, identity, rule, tls, address, isReplication } = open
  return {
    ...{ server, id: formatKey(open.key), role, database, application, method, identity },
    ...{ rule, tls, address, isReplication, failure: open.failure, marks },
    start: new Date(open.at ?? open.end ?? 0),
    end: open.end === undefined ? null : new Date(open.end),
    outcome: outcomeOf(open, isOver),
  }
}

function outcomeOf(open: Connection, isOver: boolean): SeenSession['outcome'] {
  if (open.isRefused) return 'refused'
  if (!open.isAuthorized) return 'probe'
  return open.end === undefined && !isOver ? 'open' : 'ended'
}
