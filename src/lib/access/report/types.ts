import type { TrailVerdict } from '../../trail/chain.js'
import type { Acceptance } from '../acceptance/types.js'
import type { AccessFinding, NotChecked, Severity } from '../audit/types.js'
import type { ShownGrant } from '../grant/types.js'
import type { ShownSession } from '../sessions/types.js'

/** How long each step of a report's charts is. */
export type Step = 'day' | 'week' | 'month'

/** Rows of which a report lists the first. */
export interface Listed<Row> {
  rows: Row[]
  /** How many there are; more than are listed where the limit left some out. */
  total: number
}

/** Findings at the end of a step of time. */
export interface FindingsAt {
  /** The first day of the step. */
  from: string
  /** Null before the first audit that was kept. */
  open: Record<Severity | 'accepted', number> | null
}

/** A finding that stands. */
export interface OpenFinding extends AccessFinding {
  firstSeenAt: string
  lastSeenAt: string
}

/** When a server was looked at last. */
export interface AuditedServer {
  host: string
  isStandby: boolean
  version: number
  auditedAt: string
  /** Who kept that audit: a role of the cleverctl database. */
  recordedBy: string
}

/** What audits found. */
export interface FindingsPart {
  /** Audits in the period. */
  audits: number
  step: Step
  overTime: FindingsAt[]
  open: Listed<OpenFinding>
  /** All that are open, by severity. */
  counts: Record<Severity, number>
  /** Findings that went away in the period. */
  gone: number
  servers: AuditedServer[]
  /** What the last audit of each server could not check. */
  notChecked: NotChecked[]
}

/** Connections that began in a step of time; each counts once. */
export interface SessionsAt {
  /** The first day of the step. */
  from: string
  /** Let in, and nothing stands out. */
  expected: number
  /** Something stands out, let in or not. */
  flagged: number
  /** Not let in, and nothing stands out. */
  refused: number
}

/** What the ledger has of a person or service account. */
export interface PersonSeen {
  /** Handle, or `nobody` where the role is not on the list; null: nobody got in. */
  who: string | null
  sessions: number
  refused: number
  flagged: number
  /** How many addresses; the first three of them by name. */
  places: number
  addresses: string[]
  lastAt: string
}

/** How much the ledger of sessions knows. */
export interface SessionTotals {
  /** When it was begun; null: nothing was ever kept, so nothing is known. */
  recordedSince: string | null
  total: number
  flagged: number
}

/** Who was in. */
export interface SessionsPart extends SessionTotals {
  step: Step
  overTime: SessionsAt[]
  people: Listed<PersonSeen>
  /** Those that stand out before the others, then the latest; listed by their start. */
  latest: Listed<ShownSession>
  ledger: TrailPart
}

/** A grant with whoever gave it. */
export interface ReportedGrant extends ShownGrant {
  /** Operating system user and machine that gave the command, by the trail; null where it has no entry. */
  grantedBy: string | null
}

/** A drill, and where the trail has its proof. */
export interface ReportedDrill {
  kind: 'backup' | 'snapshot'
  stanza: string
  host: string
  /** The label of a backup, the set of a snapshot. */
  subject: string
  result: 'proven' | 'failed' | 'not-checked'
  endedAt: string
  /** Number of the row of the trail with the signed evidence; null where there is none. */
  trailRow: number | null
}

/** A copy of the data that is known here. */
export interface ReportedCopy {
  kind: 'backup' | 'snapshot'
  stanza: string
  subject: string
  /** When a backup was counted, or a set of snapshots begun. */
  at: string
  /** What it holds or covers, in words. */
  content: string
  /** When a drill proved it last; null: never. */
  provenAt: string | null
}

/** Whether a chain of rows is whole. */
export type TrailPart = TrailVerdict & { isSound: boolean }

/** What `access report` gives. */
export interface AccessReport {
  since: string
  until: string
  /** The cleverctl database that was asked. */
  database: string
  sessions: SessionsPart
  findings: FindingsPart
  acceptances: Acceptance[]
  grants: Listed<ReportedGrant>
  drills: Listed<ReportedDrill>
  copies: Listed<ReportedCopy>
  trail: TrailPart
  /** Files that were written. */
  files: string[]
}
