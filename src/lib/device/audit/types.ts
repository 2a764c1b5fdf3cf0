import type { Database } from '../../database/database.js'
import type { FindingLevel } from '../../findings/types.js'

/** Everything that is looked for, the gravest first. */
export const AUDIT_KINDS = [
  'ghost',
  'squatter',
  'zombie',
  'twin',
  'early',
  'clock-liar',
  'mute',
  'stale-key',
  'stale-secret',
  'shelf-warmer',
] as const

/** What a finding is about. */
export type AuditKind = (typeof AUDIT_KINDS)[number]

/** Facts that a finding rests on: numbers, texts, times as RFC 3339. */
export type Evidence = Record<string, Fact | Record<string, Fact>[]>

type Fact = string | number | null

/** Where a finding is, what it rests on, and what to do about it. */
export interface Found<Facts extends Evidence = Evidence> {
  /** Null where no device is concerned, or none that can be named. */
  serial: string | null
  /** Null where no installation is concerned. */
  installation: string | null
  evidence: Facts
  /** A command, or a step in words. */
  next: string
}

/** One thing that the audit holds against a device or an installation. */
export interface AuditFinding extends Found {
  kind: AuditKind
  severity: FindingLevel
}

/** What the registry, the placements, the keys and what gates saw hold against each other. */
export interface DeviceAudit {
  /** By kind, the gravest first; at most `limit` of each. */
  findings: AuditFinding[]
  /** How many findings there are of each kind that was looked at. */
  counts: Partial<Record<AuditKind, number>>
  notChecked: { kind: AuditKind; reason: string }[]
  checkedAt: string
}

/** How old is too old. All in milliseconds. */
export interface AuditAges {
  /** How far back refusals and changes of address are looked at. */
  sinceMs: number
  shelfAgeMs: number
  silentForMs: number
  keyAgeMs: number
  secretAgeMs: number
  /** How far a clock may be off. */
  skewMs: number
}

/** What to look at. An absent condition holds for all. */
export interface AuditScope {
  now: Date
  ages: AuditAges
  installation: string | undefined
  batch: string | undefined
  /** Findings of a kind at most; they are counted all the same. */
  limit: number
}

/** The conditions by which findings can be narrowed down. */
export type AuditFilter = 'installation' | 'batch'

/** How many there are, and the first of them. */
export interface Counted<Row> {
  count: number
  rows: Row[]
}

/** One rule of the audit, its evidence's type forgotten so that all fit into one list. */
export interface AuditRule {
  kind: AuditKind
  severity: FindingLevel
  /** What a finding says, in a line. */
  summary: string
  /** What it proves, what it cannot see, what to do. */
  help: string
  /** By which conditions its findings can be narrowed down; by any other there are none. */
  filters: readonly AuditFilter[]
  find(database: Database, scope: AuditScope): Promise<Counted<AuditFinding>>
  /** What was seen, for people. @param time writes a moment */
  tell(finding: AuditFinding, time: (at: string) => string): string
}

/** Makes a rule of its parts: what is selected, what that says, and the same in words. */
export function defineRule<Row, Facts extends Evidence>(rule: {
  kind: AuditKind
  severity: FindingLevel
  summary: string
  help: string
  filters: readonly AuditFilter[]
  select(database: Database, scope: AuditScope): Promise<Counted<Row>>
  found(row: Row): Found<Facts>
  tell(facts: Facts, time: (at: string) => string): string
}): AuditRule {
  const { kind, severity, summary, help, filters } = rule
  return {
    kind,
    severity,
    summary,
    help,
    filters,
    find: async (database, scope) => {
      const { count, rows } = await rule.select(database, scope)
      return { count, rows: rows.map((row) => ({ kind, severity, ...rule.found(row) })) }
    },
    // A rule is given its own findings alone.
    tell: (finding, time) => rule.tell(finding.evidence as Facts, time),
  }
}

/** The moment so long before `now`; 1970 where that would be earlier still. */
export function before(now: Date, milliseconds: number): Date {
  return new Date(Math.max(0, now.getTime() - milliseconds))
}
