import type { Database } from '../database/database.js'
import type { InstallerEmail } from './types.js'

/** What a login found. `counted` is absent while the installer is locked out. */
export interface LoginAttempt {
  installerId: string
  counted?: {
    passwordHash: string
    tokenEpoch: number
    disabledAt: Date | null
    /** The moment until which this attempt locks the installer out, should it fail. */
    lockedUntil: Date | null
  }
}

interface AttemptRow {
  installerId: string
  passwordHash: string | null
  tokenEpoch: number
  disabledAt: Date | null
  lockedUntil: Date | null
}

/**
 * Counts an attempt as failed before anybody knows whether it is, so that attempts side by side get
 * no more tries than one after the other: the row's lock puts them into a line. The last one
 * allowed locks the installer out at once; a right password takes it back.
 * @returns undefined when nobody has the address
 */
export async function countAttempt(
  database: Database,
  attempt: { email: InstallerEmail; now: Date; lockedUntil: Date; attemptsMax: number },
): Promise<LoginAttempt | undefined> {
  const row = await database.transaction(async (transaction) => {
    // Without the wait for the disk a known address answers as fast as an unknown one; a crash of
    // the server can forget less than a second of attempts.
    await transaction.query('set local synchronous_commit to off')
    const { rows } = await transaction.query<AttemptRow>(
      `with counted as (
         update cleverctl.installer
         set failed_attempts = case when locked_until is null then failed_attempts + 1 else 1 end,
           locked_until = case when locked_until is null and failed_attempts + 1 >= $4 then $3::timestamptz end
         where lower(email) = $1 and (locked_until is null or locked_until <= $2)
         returning id, password_hash, token_epoch, disabled_at, locked_until
       )
       select installer.id as "installerId", counted.password_hash as "passwordHash",
         counted.token_epoch as "tokenEpoch", counted.disabled_at as "disabledAt",
         counted.locked_until as "lockedUntil"
       from cleverctl.installer left join counted on counted.id = installer.id
       where lower(installer.email) = $1`,
      [attempt.email, attempt.now, attempt.lockedUntil, attempt.attemptsMax],
    )
    return rows[0]
  })
  if (!row) return undefined
  const { installerId, passwordHash, tokenEpoch, disabledAt, lockedUntil } = row
  if (passwordHash === null) return { installerId }
  return { installerId, counted: { passwordHash, tokenEpoch, disabledAt, lockedUntil } }
}

/** Takes the counted failures back after a right password. */
export async function forgetFailures(database: Database, installerId: string): Promise<void> {
  await database.query(
    'update cleverctl.installer set failed_attempts = 0, locked_until = null where id = $1',
    [installerId],
  )
}

/** Stores the same password hashed anew, unless it was changed meanwhile. */
export async function replaceHash(
  database: Database,
  change: { installerId: string; oldHash: string; newHash: string },
): Promise<void> {
  await database.query(
    'update cleverctl.installer set password_hash = $3 where id = $1 and password_hash = $2',
    [change.installerId, change.oldHash, change.newHash],
  )
}
