import { harmless } from '../../harmless.js'
import type { AccessReport } from './types.js'

type Cell = string | number | boolean | null

/** A file of the report in CSV: what it is called, and its rows, the titles first. */
interface CsvTable {
  name: string
  write: (report: AccessReport) => Cell[][]
}

/** Every list of the report in a file of its own. */
export const TABLES: readonly CsvTable[] = [
  {
    name: 'sessions.csv',
    write: ({ sessions }) =>
      rowsOf(
        sessions.latest.rows.map(({ failure, flags, ...session }) => ({
          ...session,
          failure: failure?.reason ?? null,
          flags: flags.join(' '),
        })),
        ...([
          'who',
          'role',
          'database',
          'application',
          'method',
          'rule',
          'address',
          'tls',
        ] as const),
        ...([
          'replication',
          'start',
          'end',
          'outcome',
          'failure',
          'flags',
          'server',
          'id',
        ] as const),
      ),
  },
  {
    name: 'people.csv',
    write: ({ sessions }) =>
      rowsOf(
        sessions.people.rows.map((person) => ({
          ...person,
          addresses: person.addresses.join(' '),
        })),
        ...(['who', 'sessions', 'refused', 'flagged', 'places', 'addresses', 'lastAt'] as const),
      ),
  },
  {
    name: 'findings.csv',
    write: ({ findings }) =>
      rowsOf(
        findings.open.rows,
        ...(['severity', 'rule', 'host', 'subject', 'who', 'firstSeenAt', 'lastSeenAt'] as const),
        ...(['evidence', 'fix', 'undo'] as const),
      ),
  },
  {
    name: 'findings-over-time.csv',
    write: ({ findings }) =>
      rowsOf(
        findings.overTime.map(({ from, open }) => ({
          from,
          ...(open ?? { critical: null, high: null, medium: null, accepted: null }),
        })),
        ...(['from', 'critical', 'high', 'medium', 'accepted'] as const),
      ),
  },
  {
    name: 'accepted.csv',
    write: ({ acceptances }) =>
      rowsOf(
        acceptances,
        ...(['id', 'rule', 'subject', 'host', 'owner', 'reason', 'until', 'state'] as const),
        ...(['acceptedAt', 'withdrawnAt'] as const),
      ),
  },
  {
    name: 'grants.csv',
    write: ({ grants }) =>
      rowsOf(
        grants.rows.map((grant) => ({ ...grant, databases: grant.databases.join(' ') })),
        ...(['id', 'email', 'role', 'databases', 'readOnly', 'reason', 'grantedBy'] as const),
        ...(['requestedBy', 'approvedBy'] as const),
        ...(['state', 'grantedAt', 'endsAt', 'endedAt', 'endReason'] as const),
      ),
  },
  {
    name: 'drills.csv',
    write: ({ drills }) =>
      rowsOf(
        drills.rows,
        ...(['kind', 'stanza', 'host', 'subject', 'result', 'endedAt', 'trailRow'] as const),
      ),
  },
  {
    name: 'copies.csv',
    write: ({ copies }) =>
      rowsOf(copies.rows, ...(['kind', 'stanza', 'subject', 'at', 'content', 'provenAt'] as const)),
  },
]

/** Rows as CSV (RFC 4180). A spreadsheet must not run what a client put into a name. Pure. */
export function toCsv(rows: readonly (readonly Cell[])[]): string {
  return rows.map((row) => `${row.map(fieldOf).join(',')}\r\n`).join('')
}

function rowsOf<Name extends string>(
  rows: readonly Record<Name, Cell>[],
  ...names: readonly Name[]
): Cell[][] {
  return [[...names], ...rows.map((row) => names.map((name) => row[name]))]
}

function fieldOf(cell: Cell): string {
  if (cell === null) return ''
  if (typeof cell !== 'string') return String(cell)
  const text = harmless(cell)
  const safe = /^[=+\-@]/.test(text) ? `'${text}` : text
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
