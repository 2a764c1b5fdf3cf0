/**
 * How a month's table stands. `attached`: gates write into it and queries see it; `detaching`: a command was
 * interrupted, queries see it no longer; `detached`: a table by itself that only its owner can read.
 */
export type MonthState = 'attached' | 'detaching' | 'detached'

/** The table of one month of readings. */
export interface MonthTable {
  /** In UTC, as `2026-06`. */
  month: string
  /** As the database calls it, with its schema. */
  table: string
  state: MonthState
  /** PostgreSQL's own estimate, null before it made one. */
  rows: number | null
  /** With its indexes. */
  bytes: number
}

/** What is to become of a month. A dropped one that is attached is detached first. */
export type MonthAction = 'keep' | 'detach' | 'drop'

/** A month with what is to become of it, and what became of it. */
export interface RetainedMonth extends MonthTable {
  action: MonthAction
  outcome: 'planned' | 'kept' | 'detached' | 'dropped'
}

/** A month whose table has to be there before its first reading. */
export interface MonthAhead {
  month: string
  outcome: 'present' | 'missing' | 'made'
}

/** What {@link retainReadings} answers. */
export interface Retention {
  /** Readings from before this moment go; null where nothing was asked for. */
  keepFrom: string | null
  /** Whether anything was to be changed, or only shown. */
  applied: boolean
  /** The oldest first. */
  months: RetainedMonth[]
  /** This month and the next. */
  ahead: MonthAhead[]
}
