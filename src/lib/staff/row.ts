import type { Row } from '../rows/csv.js'
import type { Fault } from '../fault.js'
import { isFault, readFacts, type AccountFacts } from './types.js'

/** The columns of a list of staff. Several role names or networks have a space between them. */
export const STAFF_COLUMNS = ['email', 'name', 'roleNames', 'networks', 'until'] as const

/** Rows of staff from a file of any form. */
export interface StaffRowSource {
  unusedColumns: readonly string[]
  rows: AsyncIterable<Row[]> | Iterable<Row[]>
  /** SHA-256 of what was read, in hexadecimal. */
  digest(): string
  close(): void
}

/** A row that was not taken, and why. */
export interface RejectedStaff extends Fault {
  line: number
  /** What stands in the address's place, where that could be read. */
  email: string | null
  raw: string
}

/** A row's person and a way to refuse it later, or its refusal. */
export type ReadStaffRow =
  | { facts: AccountFacts; isLeaver: boolean; refuse: (fault: Fault) => RejectedStaff }
  | { facts?: undefined; rejected: RejectedStaff }

/** Reads a row on its own merits. @param emails the addresses of earlier rows; grows */
export function readStaffRow(row: Row, emails: Set<string>): ReadStaffRow {
  const { line, raw, values } = row
  if (!values) return { rejected: { line, raw, email: null, ...row.fault } }
  // Only SCIM says who has left.
  const [handle = '', description = '', roleNames = '', networks = '', until = '', active] = values
  const refuse = (fault: Fault): RejectedStaff => ({
    line,
    raw,
    email: handle.slice(0, 80),
    ...fault,
  })
  const facts = readFacts({
    kind: 'staff',
    handle,
    description: description.trim(),
    owner: null,
    roleNames: words(roleNames),
    networks: words(networks),
    until: until === '' ? null : until,
  })
  if (isFault(facts)) return { rejected: refuse(facts) }
  if (emails.has(facts.handle))
    return {
      rejected: refuse({ code: 'duplicate-email', reason: 'the address stands in an earlier row' }),
    }
  emails.add(facts.handle)
  return { facts, isLeaver: active === 'false', refuse }
}

function words(field: string): string[] {
  return field.split(/\s+/).filter((word) => word !== '')
}
