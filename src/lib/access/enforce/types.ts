import type { AcceptanceRow } from '../acceptance/store.js'
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
  role: string
  /** Handle of the person or service account; `nobody` where the role is not on the list. */
  who: string
  from: string
  to: string
  /** SQL that mends it. */
  fix: string
  /** SQL that takes that back. */
  undo: string
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
  changes: Difference[]
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
