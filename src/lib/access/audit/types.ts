import type { AccountRow } from '../../staff/store.js'
import type { CanaryOnList } from '../canary/types.js'
import type { GrantMethod } from '../grant/types.js'
import type { DatabaseParts } from './database.js'
import type { Probe } from './probe.js'
import type { ServerParts } from './server.js'

/** How bad a finding is, the worst first. */
export const SEVERITIES = ['critical', 'high', 'medium'] as const

/** One of {@link SEVERITIES}. */
export type Severity = (typeof SEVERITIES)[number]

/** What a fix changes of a role, in the words of SQL. */
export interface Mending {
  kind: 'login' | 'attribute' | 'membership' | 'validity' | 'connection limit'
  from: string
  to: string
  /** Of a membership: the role that is no longer to have the member. */
  group?: string
}

/** What a rule holds against something. */
export interface Found {
  /** The role, rule, setting, session or database it is about. */
  subject: string
  /** The role by which it resolves to an account; null where no role is concerned. */
  role: string | null
  /** What was seen, in a sentence. */
  evidence: string
  /** SQL, or what to do with a line of pg_hba.conf. */
  fix: string
  /** What takes the fix back. */
  undo: string
  /** Where the fix is one statement about a role. */
  mending?: Mending
}

/** Something that lets in whom the list does not. */
export interface AccessFinding extends Omit<Found, 'role' | 'mending'> {
  rule: string
  severity: Severity
  /** The server. */
  host: string
  /** Handle of the person or service account; `nobody` where the role is not on the list; null without a role. */
  who: string | null
}

/** A finding that somebody answers for. */
export interface AcceptedFinding extends AccessFinding {
  acceptance: { id: string; owner: string; reason: string; until: string }
}

/** What a server that could not be read at all is listed with, in the place of a rule. */
export const EVERY_RULE = 'all'

/** A rule that could not be asked. */
export interface NotChecked {
  rule: string
  host: string
  reason: string
}

/** What an audit of access found. */
export interface AccessAudit {
  findings: AccessFinding[]
  /** Findings that do not count, because somebody answers for them. */
  accepted: AcceptedFinding[]
  notChecked: NotChecked[]
  /** The servers that were looked at. */
  hosts: { host: string; isStandby: boolean; version: number }[]
  checkedAt: string
}

/** A role that was made for a person for a limited time. */
export interface GrantOnList {
  role: string
  email: string
  state: string
  endsAt: Date
  isReadOnly: boolean
  databases: readonly string[]
  method: GrantMethod
}

/** The list, as rules ask it. */
export interface AccessList {
  accounts: readonly AccountRow[]
  /** The entry that a role speaks for, removed or not. */
  holderOf(role: string): AccountRow | undefined
  /** The grant of a role, while it is in force. */
  grantOf(role: string): GrantOnList | undefined
  /** Whether a role is that of a grant or a request, in force or over. */
  isOfGrant(role: string): boolean
  /** Whether the entry of a role is on the list now and its last day is not past, or its grant is in force. */
  isValid(role: string): boolean
  now: Date
  /** Decoys that were not removed. */
  canaries: readonly CanaryOnList[]
}

/** Everything that rules look at: a server, one of its databases, and connections that were tried. */
export interface AuditParts extends ServerParts, DatabaseParts {
  /** Read only where it was asked for. */
  probes: readonly Probe[]
}

/** The name of a part. */
export type PartName = keyof AuditParts

/** The parts that a rule looks at. */
export type Seen<Name extends PartName> = Pick<AuditParts, Name>

/**
 * One rule of the audit, its parts forgotten so that all fit into one list. A rule that needs a part of a
 * database is asked once a database.
 */
export interface AccessRule {
  id: string
  severity: Severity
  /** What a finding says, in a line. */
  summary: string
  /** What it proves and what it cannot see. */
  help: string
  /** Which controls ask for it. */
  references: readonly string[]
  needs: readonly PartName[]
  find(parts: AuditParts, list: AccessList): Found[]
  /** Why there may be more than it finds, where something that it can do without is not known. */
  whyIncomplete?(parts: AuditParts): string | undefined
}

/** Makes a rule; it is given the parts that it needs and no others. */
export function defineRule<const Name extends PartName>(
  rule: Omit<AccessRule, 'needs' | 'find' | 'whyIncomplete'> & {
    needs: readonly Name[]
    find(parts: Seen<Name>, list: AccessList): Found[]
    whyIncomplete?(parts: Seen<Name>): string | undefined
  },
): AccessRule {
  return rule
}

/** A name as SQL has it. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** To whom a right is granted, as in SQL. @param role null: PUBLIC */
export function quoteGrantee(role: string | null): string {
  return role === null ? 'public' : quoteName(role)
}

/** A text as SQL has it. */
export function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
