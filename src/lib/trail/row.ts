import { createHash } from 'node:crypto'

/** One row of the trail with every field as the text that its hash covers. */
export interface TrailRow {
  seq: string
  /** RFC 3339 UTC with microseconds. */
  at: string
  phase: string
  action: string
  subject: string
  databaseRole: string
  osUser: string
  host: string
  ciJob: string | null
  /** The JSON text as PostgreSQL writes it: a parsed object would lose how its numbers were written. */
  details: string
  /** Hexadecimal. */
  previousHash: string
  /** Hexadecimal. */
  hash: string
}

/** What stands in place of the hash before the first row. */
export const NO_HASH = '0'.repeat(64)

const NOT_A_TIME = 'not a time'
const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{6})Z$/

/** SHA-256 of a row, hexadecimal: the same as the database's own `cleverctl.trail_hash`. */
export function hashOfRow(row: TrailRow): string {
  const fields = [
    row.seq,
    microseconds(row.at),
    row.phase,
    row.action,
    row.subject,
    row.databaseRole,
    row.osUser,
    row.host,
    row.ciJob,
    row.details,
    row.previousHash,
  ]
  return hashOfFields(fields)
}

/** SHA-256 of fields, hexadecimal, by which no two lists of them give the same text. */
export function hashOfFields(fields: readonly (string | null)[]): string {
  return createHash('sha256').update(fields.map(hashedField).join('')).digest('hex')
}

/** Length in bytes, a colon, the field; a missing one is a minus sign. So no two rows give the same text. */
function hashedField(field: string | null): string {
  return field === null ? '-' : `${Buffer.byteLength(field)}:${field}`
}

/** Microseconds since 1970; something that no row was hashed with for a time of any other form. */
export function microseconds(at: string): string {
  const [, seconds, fraction] = TIME.exec(at) ?? []
  if (seconds === undefined || fraction === undefined) return NOT_A_TIME
  const moment = new Date(`${seconds}Z`)
  // The 30th of February would be taken for a day of March.
  const isReal = !Number.isNaN(moment.getTime()) && moment.toISOString().startsWith(seconds)
  return isReal ? String(BigInt(moment.getTime()) * 1000n + BigInt(fraction)) : NOT_A_TIME
}
