import { hashOfFields, microseconds } from '../../../trail/row.js'

/** One row of the ledger with every field as the text that its hash covers. Times are UTC with microseconds. */
export interface LedgerRow {
  seq: string
  recordedAt: string
  recordedBy: string
  server: string
  id: string
  start: string
  end: string | null
  outcome: string
  who: string | null
  role: string | null
  database: string | null
  application: string | null
  method: string | null
  rule: string | null
  address: string | null
  tls: string | null
  replication: string
  failureCode: string | null
  failureReason: string | null
  /** The JSON text as PostgreSQL writes it. */
  flags: string
  log: string
  /** Hexadecimal. */
  previousHash: string
  /** Hexadecimal. */
  hash: string
}

/** SHA-256 of a row, hexadecimal: the same as the database's own `cleverctl.session_hash`. */
export function hashOfLedgerRow(row: LedgerRow): string {
  return hashOfFields([
    row.seq,
    microseconds(row.recordedAt),
    row.recordedBy,
    row.server,
    row.id,
    microseconds(row.start),
    row.end === null ? null : microseconds(row.end),
    row.outcome,
    row.who,
    row.role,
    row.database,
    row.application,
    row.method,
    row.rule,
    row.address,
    row.tls,
    row.replication,
    row.failureCode,
    row.failureReason,
    row.flags,
    row.log,
    row.previousHash,
  ])
}
