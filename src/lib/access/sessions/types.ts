/** How a connection ended. `probe`: nobody asked to be let in. `open`: no end is in the logs. */
export type SessionOutcome = 'ended' | 'open' | 'refused' | 'probe'

/** What stands out at a session. */
export const SESSION_FLAGS = [
  'nobody',
  'over',
  'outside-networks',
  'address-unknown',
  'outside-hours',
  'trust',
  'no-disconnection',
  'line-gap',
  'failed-login-storm',
  'two-places',
  'first-address',
  'first-application',
  'superuser-without-grant',
  'decoy-role',
  'forged-record',
  'ambiguous-name',
] as const

/** One of {@link SESSION_FLAGS}. */
export type SessionFlag = (typeof SESSION_FLAGS)[number]

/** One record of a log that is about a connection. Names and text are what the client chose, wherever it may. */
export interface LogRecord {
  /** See {@link import('./session-key.js').sessionKey}. */
  key: number
  /** Milliseconds since 1970; undefined where the log's time zone is not known. */
  at: number | undefined
  severity: string
  message: string
  code: string | undefined
  detail: string | undefined
  user: string | undefined
  database: string | undefined
  application: string | undefined
  /** What PostgreSQL shows of the process: `authentication` while somebody is being let in. */
  display: string | undefined
  /** Whether the process was in a transaction; undefined where the log does not say. */
  isInTransaction: boolean | undefined
}

/** What a reader of logs gives. */
export interface LogSink {
  /** Every record that belongs to a process. @param line its number among those of the process, 0 where not known */
  count(key: number, line: number): void
  /** A record about a connection. */
  take(record: LogRecord): void
  /** A record that cannot be read, or not in one way only. @param key the process, where that is certain */
  doubt(key: number | undefined): void
}

/** How a log is written. */
export type LogForm = 'json' | 'csv' | 'stderr'

/** Where a reader stands behind what it is done with, as JSON. */
export type ReaderState = {
  /** What abbreviations of time zones mean, in milliseconds from UTC. */
  times: readonly (readonly [zone: string, offset: number])[]
} & (
  | { form: 'json'; isSkipping: boolean }
  | { form: 'csv'; isCertain: boolean; isPassing: boolean }
  | { form: 'stderr'; isSkipping: boolean; doubtful: number; pending: PendingLine | null }
)

/** Text that a log of stderr has of a record so far. */
export interface PendingLine {
  key: number
  groups: Record<string, string | undefined>
  message: string
}

/** Reads the text of a log piece by piece. */
export interface LogReader {
  /** What another reader needs to go on from here. */
  state(): ReaderState
  /**
   * Reads what is whole. The text has one character for each byte.
   * @returns how many characters it is done with; the rest comes again in front of the next piece
   */
  read(text: string): number
  /** The log ends here. */
  finish(): void
}

/** A connection as the logs tell it. */
export interface SeenSession {
  /** The machine, or the folder of the files. */
  server: string
  /** PostgreSQL's session id; the process id where the log has none. */
  id: string
  role: string | null
  database: string | null
  application: string | null
  /** How it was proven who it is; null where nothing was proven. */
  method: string | null
  identity: string | null
  /** File and line of the rule that let it in or refused it, such as `/etc/postgresql/15/main/pg_hba.conf:7`. */
  rule: string | null
  /** Version of TLS; null: none. */
  tls: string | null
  /** IP address or name; null: by the unix socket. Undefined where the logs do not tell. */
  address: string | null | undefined
  isReplication: boolean
  start: Date
  end: Date | null
  outcome: SessionOutcome
  /** SQLSTATE, where known, and what PostgreSQL said. */
  failure: { code: string | null; reason: string } | null
  /** What is seen at the session alone. */
  marks: SessionFlag[]
}

/** A session with who it was by the list. */
export interface ShownSession {
  /** Handle of the person or service account; `nobody` where the role is not on the list; null: nobody got in. */
  who: string | null
  role: string | null
  database: string | null
  application: string | null
  method: string | null
  rule: string | null
  address: string | null
  tls: string | null
  replication: boolean
  start: string
  end: string | null
  outcome: SessionOutcome
  failure: { code: string | null; reason: string } | null
  flags: SessionFlag[]
  server: string
  id: string
}

/** Something that could not be read. */
export interface NotRead {
  log: string
  reason: string
}

/** Takes sessions as they are read. */
export interface SessionTaker {
  /** @param log that tells of it */
  give(session: SeenSession, log: string): void
  /** Makes room where so much has come that it has to be written. */
  settle(): Promise<void>
}

/** What `access sessions` gives. */
export interface SessionsFound {
  sessions: ShownSession[]
  /** How many there are; more than are listed where the limit left some out. */
  total: number
  flagged: number
  notRead: NotRead[]
  since: string
  /** How many rows the ledger was given, with --record. */
  recorded?: number
}
