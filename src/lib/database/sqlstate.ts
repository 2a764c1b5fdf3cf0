import { StatementError } from './statement-error.js'

/** PostgreSQL's error codes by name; statements are judged by these, never by message text. */
export const SqlState = {
  PROTOCOL_VIOLATION: '08P01',
  READ_ONLY_TRANSACTION: '25006',
  STRING_TOO_LONG: '22001',
  NUMERIC_VALUE_OUT_OF_RANGE: '22003',
  DATETIME_FIELD_OVERFLOW: '22008',
  CHARACTER_NOT_IN_REPERTOIRE: '22021',
  INVALID_TEXT_REPRESENTATION: '22P02',
  NOT_NULL_VIOLATION: '23502',
  FOREIGN_KEY_VIOLATION: '23503',
  UNIQUE_VIOLATION: '23505',
  CHECK_VIOLATION: '23514',
  EXCLUSION_VIOLATION: '23P01',
  INVALID_AUTHORIZATION: '28000',
  INVALID_PASSWORD: '28P01',
  INVALID_CATALOG_NAME: '3D000',
  INVALID_SCHEMA_NAME: '3F000',
  EXTERNAL_ROUTINE_EXCEPTION: '38000',
  SERIALIZATION_FAILURE: '40001',
  DEADLOCK_DETECTED: '40P01',
  INSUFFICIENT_PRIVILEGE: '42501',
  DEPENDENT_OBJECTS: '2BP01',
  DUPLICATE_OBJECT: '42710',
  UNDEFINED_TABLE: '42P01',
  DUPLICATE_DATABASE: '42P04',
  DISK_FULL: '53100',
  TOO_MANY_CONNECTIONS: '53300',
  OBJECT_IN_USE: '55006',
  LOCK_NOT_AVAILABLE: '55P03',
  QUERY_CANCELED: '57014',
  ADMIN_SHUTDOWN: '57P01',
  CRASH_SHUTDOWN: '57P02',
  CANNOT_CONNECT_NOW: '57P03',
  NO_DATA_FOUND: 'P0002',
} as const

/** One of the codes of {@link SqlState}. */
export type SqlState = (typeof SqlState)[keyof typeof SqlState]

/** SQLSTATE of an error of the database, translated or straight from the driver; else undefined. */
export function sqlStateOf(error: unknown): string | undefined {
  if (error instanceof StatementError) return error.sqlState
  if (!(error instanceof Error)) return undefined
  if ('severity' in error && 'code' in error && typeof error.code === 'string') return error.code
  return error.cause instanceof StatementError ? error.cause.sqlState : undefined
}

/** Whether `error` is the database's error with this code, whichever floor translated it. */
export function isSqlState(error: unknown, code: SqlState): boolean {
  return sqlStateOf(error) === code
}
