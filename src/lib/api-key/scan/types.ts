import type { Unchecked } from '../../findings/types.js'
import type { ApiKeyStanding } from '../standing.js'

/** What may leak. */
export type LeakKind = 'api-key' | 'device-secret'

/**
 * How what was found stands. UNKNOWN: the database has nothing of this text, also where an API key of
 * this id is another one. NOT-CHECKED: no database was asked.
 */
export type LeakState = ApiKeyStanding | 'UNKNOWN' | 'NOT-CHECKED'

/** Text that has the form of one of our secrets, without the secret itself. */
export interface Candidate {
  kind: LeakKind
  /** Bytes from the beginning of what was searched. */
  offset: number
  /** The id in an API key. */
  keyId: string | null
  /** The serial beside a device's secret, where one stands there. */
  serial: string | null
  /** Null where the form has no checksum. */
  checksumMatches: boolean | null
  /** SHA-256 of the text, as the database keeps it. */
  digest: Buffer
}

/** Where in a content a candidate stands, both from 1; the column in characters. */
export interface Hit extends Candidate {
  line: number
  column: number
}

/** Where a content came from. */
export interface Origin {
  /** `-` for stdin; null for a commit's message and for what no path leads to any more. */
  file: string | null
  /** For `git -C`: the folder whose git history it is. Absent outside a history. */
  repository?: string
  /** The first commit that brought it; null where none leads to it. Absent outside a history. */
  commit?: string | null
  /** The git object. Absent outside a history. */
  object?: string
}

/** One place at which one of our secrets was found. Never the secret. */
export interface Leak extends Origin {
  kind: LeakKind
  keyId: string | null
  serial: string | null
  /** Null, both, where it is the name of the file. */
  line: number | null
  column: number | null
  checksumMatches: boolean | null
  state: LeakState
  /** Whether it opened the gate when it was found; null where no database was asked. */
  live: boolean | null
  /** The installation it belongs to, or at which the device stands. */
  installation: string | null
  /** Whether this run revoked it. */
  revoked: boolean
  /** What to type next. */
  next: string | null
}

/** A find on its way to the database, with the digest by which it is recognised. */
export interface Find {
  origin: Origin
  line: number | null
  column: number | null
  candidate: Candidate
}

/** What a scan found and how much it saw. */
export interface ScanReport {
  findings: Leak[]
  scanned: {
    files: number
    /** Blobs, commits and tags of git histories. */
    objects: number
    bytes: number
  }
  notChecked: Unchecked[]
}
