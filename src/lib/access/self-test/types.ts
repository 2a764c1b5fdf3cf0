/** Something that is done to the throw-away server. */
export interface Change {
  /** Statements, one after the other, in the database `fleet`. */
  sql?: readonly string[]
  /** What takes them back. */
  mend?: readonly string[]
  /** Lines of pg_hba.conf in the place of those of the grant. */
  granted?: readonly string[]
  /** Lines of pg_hba.conf before the last one. */
  hba?: readonly string[]
  /** Whether the last line, the reject for all, is left out. */
  isOpenEnded?: boolean
  /** Lines of pg_ident.conf. */
  ident?: readonly string[]
  /** Whether pg_hba.conf looks newer than what the server has read. */
  isUnread?: boolean
  /** Settings of the server, reset afterwards. */
  settings?: Readonly<Record<string, string>>
  /** Whether settings need a restart. */
  needsRestart?: boolean
  /** A connection that stands meanwhile. */
  session?: { role: string; isReplication?: boolean; isOverNetwork?: boolean }
}

/** A fault that the audit must find, and what looks alike and is none. */
export interface Fault {
  /** The rule that must find it. */
  rule: string
  /** Whom the finding must name: a handle, `nobody`, or null where no role is concerned. */
  who: string | null
  plant: Change
  nearMiss?: Change
}

/** What a self-test came to. */
export interface SelfTest {
  /** How many faults were planted. */
  planted: number
  /** How many of them the audit found, by the right rule and with the right name. */
  found: number
  /** How many findings there were where there was no fault. */
  falseFindings: number
  /** Faults that were not found. */
  missed: { rule: string; fault: string }[]
  /** Findings that should not be, with what was planted then. */
  wrong: { rule: string; subject: string; evidence: string; at: string }[]
  /** Rules that cannot be tried with the PostgreSQL of this machine, because it lacks a library. */
  leftOut: { rule: string; reason: string }[]
  /** Release of the server, as PostgreSQL counts. */
  version: number
}
