import type { Row } from '../rows/csv.js'
import type { Fault } from '../fault.js'
import { isFault, readFacts, type AccountFacts, type AccountKind } from './types.js'

/** The columns of a list. Several role names or networks have a space between them. */
export const ACCOUNT_COLUMNS = {
  staff: ['email', 'name', 'roleNames', 'networks', 'until'],
  'service-account': ['name', 'purpose', 'owner', 'roleNames', 'networks', 'until'],
} as const satisfies Record<AccountKind, readonly string[]>

/** Rows of accounts from a file of any form. */
export interface AccountRowSource {
  unusedColumns: readonly string[]
  rows: AsyncIterable<Row[]> | Iterable<Row[]>
  /** SHA-256 of what was read, in hexadecimal. */
  digest(): string
  close(): void
}

/** A row that was not taken, and why. */
export interface RejectedAccount extends Fault {
  line: number
  /** What stands in the place of the address or name, where that could be read. */
  handle: string | null
  raw: string
}

/** A row's account and a way to refuse it later, or its refusal. */
export type ReadAccountRow =
  | { facts: AccountFacts; isLeaver: boolean; refuse: (fault: Fault) => RejectedAccount }
  | { facts?: undefined; rejected: RejectedAccount }

/**
 * Reads a row on its own merits. Its values are those of the columns, and behind them, of a SCIM file, `active`.
 * @param handles the addresses or names of earlier rows; grows
 */
export function readAccountRow(kind: AccountKind, row: Row, handles: Set<string>): ReadAccountRow {
  const { line, raw, values } = row
  if (!values) return { rejected: { line, raw, handle: null, ...row.fault } }
  const isStaff = kind === 'staff'
  const [handle = '', description = '', ...rest] = values
  const [owner = ''] = isStaff ? [] : rest.splice(0, 1)
  const [roleNames = '', networks = '', until = '', active] = rest
  const refuse = (fault: Fault): RejectedAccount => ({
    line,
    raw,
    handle: handle.slice(0, 80),
    ...fault,
  })
  const named = words(roleNames)
  const facts = readFacts({
    kind,
    handle,
    description: description.trim(),
    owner: isStaff ? null : owner,
    // As with `service-account add`: without a role name its role is called as it is.
    roleNames: isStaff || named.length > 0 ? named : [handle],
    networks: words(networks),
    until: until === '' ? null : until,
  })
  if (isFault(facts)) return { rejected: refuse(facts) }
  if (handles.has(facts.handle))
    return {
      rejected: refuse(
        isStaff
          ? { code: 'duplicate-email', reason: 'the address stands in an earlier row' }
          : { code: 'duplicate-name', reason: 'the name stands in an earlier row' },
      ),
    }
  handles.add(facts.handle)
  return { facts, isLeaver: active === 'false', refuse }
}

function words(field: string): string[] {
  return field.split(/\s+/).filter((word) => word !== '')
}
