import type { AcceptanceRow } from '../acceptance/store.js'
import type { HbaRule } from '../hba/types.js'
import type { ReadParts } from '../audit/server.js'
import type { AccessList, NotChecked } from '../audit/types.js'
import type { Protection } from './protect.js'

/**
 * What a difference between the list and a server is about, in the order in which differences are mended: what
 * takes something away comes first, so that after a kill nobody has more than before.
 */
export const DIFFERENCES = [
  'login',
  'session',
  'attribute',
  'membership',
  'pg_hba line',
  'validity',
  'connection limit',
  'role missing',
] as const

/** A difference between the list and a server, and what mends it. */
export interface Difference {
  host: string
  kind: (typeof DIFFERENCES)[number]
  /** The rule of the audit that finds it; null for what the list asks for and a server lacks. */
  rule: string | null
  /** `role NAME`, or the place of a line of pg_hba.conf. */
  subject: string
  /** Null where it is about no single role. */
  role: string | null
  /** Handle of the person or service account; `nobody` where the role is not on the list; null without a role. */
  who: string | null
  from: string
  to: string
  /** SQL that mends it, or what is done with a line. */
  fix: string
  /** What takes that back. */
  undo: string
}

/** A difference that is to be mended. */
export interface PlannedChange extends Difference {
  /** Of a line that is to be taken out: what it says. */
  line?: HbaRule
  /** Of a grant: its role, and all the lines that it is to have. */
  granted?: { role: string; lines: readonly string[] }
}

/** Changes in the order in which they are made. */
export function inOrder(differences: readonly PlannedChange[]): PlannedChange[] {
  return differences.toSorted((a, b) => DIFFERENCES.indexOf(a.kind) - DIFFERENCES.indexOf(b.kind))
}

/** A difference that is mended. */
export interface Change extends Difference {
  /** `undone`: made, and taken back because somebody would have been locked out. */
  outcome: 'planned' | 'done' | 'failed' | 'undone'
  /** Why it failed or was taken back. */
  reason: string | null
}

/** A difference that is left as it is. */
export interface LeftAlone extends Difference {
  reason: string
}

/** A change as results show it. */
export function showChange(
  { line, granted, ...difference }: PlannedChange,
  outcome: Change['outcome'],
  reason: string | null = null,
): Change {
  return { ...difference, outcome, reason }
}

/** What was read of a server. */
export interface SeenServer {
  host: string
  parts: ReadParts
}

/** What a plan is made by, beside the servers. */
export interface PlanQuestion extends Protection {
  list: AccessList
  acceptances: readonly AcceptanceRow[]
}

/** What differs, in the order in which it is mended. */
export interface Plan {
  changes: PlannedChange[]
  left: LeftAlone[]
  notChecked: NotChecked[]
}

/** What differs between the list and servers, and what became of it. */
export interface Enforcement {
  changes: Change[]
  left: LeftAlone[]
  notChecked: NotChecked[]
  hosts: { host: string; isStandby: boolean }[]
}
