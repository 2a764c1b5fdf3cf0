import {
  CancelledError,
  ConflictError,
  ExpectedError,
  FailureError,
  NotFoundError,
  RefusedError,
  UnreachableError,
} from '../errors.js'
import { pooled } from './backend.js'
import { SqlState } from './sqlstate.js'
import { StatementError } from './statement-error.js'

/** Where an error happened, for its wording. */
export interface Scene {
  /** The server for people, without a password. */
  place: string
  /** The role that logged in. */
  role: string
  /** Whether the connection itself failed, not a statement on it. */
  isConnecting: boolean
  /** Aborted when the user asked to stop. */
  signal: AbortSignal | undefined
}

interface DriverError extends Error {
  code: string
  severity: string
  constraint?: string
  table?: string
  column?: string
}

/** Node.js's codes for a certificate that does not prove the server's identity. */
const CERTIFICATE_CODES =
  /^(?:ERR_TLS_CERT_ALTNAME_INVALID|CERT_[A-Z_]+|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_[A-Z_]+|ERROR_IN_CERT_[A-Z_]+|INVALID_CA|HOSTNAME_MISMATCH)$/

/**
 * Makes of whatever the driver threw an error that may leave this floor: an ExpectedError where the
 * user can act, a {@link StatementError} for a broken rule that the caller may know by its SQLSTATE.
 * No message, detail or value of the driver goes along, but for SQLSTATE 42501, whose message holds
 * names of tables only. Errors that are not the driver's pass unchanged.
 */
export function translateError(error: unknown, scene: Scene): unknown {
  if (error instanceof ExpectedError || error instanceof StatementError) return error
  if (isDriverError(error)) return translateDriverError(error, scene)
  if (!scene.isConnecting) return error
  const reason = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (CERTIFICATE_CODES.test(reason)) {
    return new RefusedError(
      'server-certificate',
      `the certificate of ${scene.place} does not prove its identity (${reason})`,
      {
        suggestions: [
          'name the right authority in PGSSLROOTCERT and the host as the certificate has it',
        ],
      },
    )
  }
  return new UnreachableError(
    'database-unreachable',
    `cannot reach the database ${scene.place}${reason === '' ? '' : ` (${reason})`}`,
    {
      suggestions: ['cleverctl doctor'],
    },
  )
}

/** What to tell when a connection broke while a statement or a commit was under way. */
export function connectionLost(place: string): UnreachableError {
  return new UnreachableError(
    'database-connection-lost',
    `the connection to the database ${place} was lost`,
    {
      suggestions: ['give the command again: it goes on where it stopped'],
    },
  )
}

function isDriverError(error: unknown): error is DriverError {
  return (
    error instanceof Error &&
    'severity' in error &&
    'code' in error &&
    typeof error.code === 'string'
  )
}

function translateDriverError(error: DriverError, scene: Scene): Error {
  const { code, constraint, table, column } = error
  const cause = new StatementError({ sqlState: code, constraint, table, column })
  const { place, role } = scene
  switch (code) {
    case SqlState.INVALID_PASSWORD:
    case SqlState.INVALID_AUTHORIZATION:
      return new RefusedError('login-refused', `${place} refused the login of role ${role}`, {
        suggestions: ["check PGPASSFILE, the client certificate and the server's pg_hba.conf"],
        cause,
      })
    case SqlState.INSUFFICIENT_PRIVILEGE:
      return new RefusedError(
        'privilege-missing',
        `role ${role} may not do this: ${error.message}`,
        {
          suggestions: [`as a database administrator: grant cleverctl_staff to "${role}"`],
          cause,
        },
      )
    case SqlState.INVALID_CATALOG_NAME:
      return new NotFoundError('database-not-found', `the database does not exist: ${place}`, {
        cause,
      })
    case SqlState.READ_ONLY_TRANSACTION:
      return new ConflictError('database-read-only', `${place} is read-only; it may be a standby`, {
        suggestions: ['list the servers in the URL with ?target_session_attrs=read-write'],
        cause,
      })
    case SqlState.LOCK_NOT_AVAILABLE:
    case SqlState.DEADLOCK_DETECTED:
    case SqlState.SERIALIZATION_FAILURE:
      return new ConflictError('locked', 'another command is changing the same objects', {
        suggestions: ['give the command again'],
        cause,
      })
    case SqlState.QUERY_CANCELED:
      if (scene.signal?.aborted) return cancelled(scene.signal)
      return new FailureError(
        'statement-timeout',
        'the database took too long and the statement was cancelled',
        { cause },
      )
    case SqlState.PROTOCOL_VIOLATION:
      // A server takes the settings that each connection begins with; PgBouncer refuses them unless told otherwise.
      if (scene.isConnecting) return pooled(place)
      break
    case SqlState.DISK_FULL:
      return new FailureError('disk-full', `the disk of ${place} is full`, { cause })
  }
  // 08 connection exception, 53 too many connections or out of memory, 57P0x shutdown and start-up.
  if (/^(?:08|53|57P)/.test(code)) {
    return new UnreachableError(
      'database-unreachable',
      `the database ${place} does not take statements now (SQLSTATE ${code})`,
      { cause },
    )
  }
  // Settings that the server does not take, a database closed to everybody, and the like.
  if (scene.isConnecting) {
    return new RefusedError(
      'login-refused',
      `${place} refused the connection of role ${role} (SQLSTATE ${code})`,
      {
        suggestions: ["check PGOPTIONS and the settings of the role; the server's log says more"],
        cause,
      },
    )
  }
  return cause
}

/** The cancellation that aborted `signal`. */
export function cancelled(signal: AbortSignal): CancelledError {
  return signal.reason instanceof CancelledError ? signal.reason : new CancelledError()
}
