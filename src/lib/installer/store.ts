import type { Queryable, Transaction } from '../database/database.js'
import type { InstallerEmail } from './types.js'

/** An installer's row, without the hash. */
export interface InstallerRow {
  id: string
  email: string
  name: string
  tokenEpoch: number
  lockedUntil: Date | null
  createdAt: Date
  disabledAt: Date | null
}

const INSTALLER_COLUMNS = `installer.id, installer.email, installer.name,
  installer.token_epoch as "tokenEpoch", installer.locked_until as "lockedUntil",
  installer.created_at as "createdAt", installer.disabled_at as "disabledAt"`

/** An installer's row with the hash to compare a password with. */
export interface InstallerWithHash extends InstallerRow {
  passwordHash: string
}

/** The installer with an e-mail address. */
export async function findInstaller(
  database: Queryable,
  email: InstallerEmail,
): Promise<InstallerWithHash | undefined> {
  const { rows } = await database.query<InstallerWithHash>(
    `select ${INSTALLER_COLUMNS}, installer.password_hash as "passwordHash"
     from cleverctl.installer where lower(installer.email) = $1`,
    [email],
  )
  return rows[0]
}

/** The installer with an e-mail address, locked until the transaction ends. */
export async function lockInstaller(
  transaction: Transaction,
  email: InstallerEmail,
): Promise<InstallerWithHash | undefined> {
  const { rows } = await transaction.query<InstallerWithHash>(
    `select ${INSTALLER_COLUMNS}, installer.password_hash as "passwordHash"
     from cleverctl.installer where lower(installer.email) = $1 for update`,
    [email],
  )
  return rows[0]
}

/** Adds an installer. @returns the id, or undefined when the address is taken */
export async function insertInstaller(
  transaction: Transaction,
  installer: { email: InstallerEmail; name: string; passwordHash: string; createdAt: Date },
): Promise<string | undefined> {
  const { rows } = await transaction.query<{ id: string }>(
    `insert into cleverctl.installer (email, name, password_hash, created_at) values ($1, $2, $3, $4)
     on conflict (lower(email)) do nothing returning id`,
    [installer.email, installer.name, installer.passwordHash, installer.createdAt],
  )
  return rows[0]?.id
}

/** Gives a new password: ends the lock-out and every token of the app, and enables the installer. */
export async function replacePassword(
  transaction: Transaction,
  installer: { id: string; passwordHash: string },
): Promise<void> {
  await transaction.query(
    `update cleverctl.installer
     set password_hash = $2, failed_attempts = 0, locked_until = null, disabled_at = null,
       token_epoch = token_epoch + 1
     where id = $1`,
    [installer.id, installer.passwordHash],
  )
}

/** Disables an installer and ends every token of the app. */
export async function markDisabled(transaction: Transaction, id: string, at: Date): Promise<void> {
  await transaction.query(
    `update cleverctl.installer set disabled_at = $2, token_epoch = token_epoch + 1 where id = $1`,
    [id, at],
  )
}

/** An installer as a list shows it. */
export interface InstallerListRow extends InstallerRow {
  installations: string[]
}

/** Installers by e-mail address with the codes of their installations; all, or those of one installation. */
export async function selectInstallers(
  database: Queryable,
  installation: string | undefined,
): Promise<InstallerListRow[]> {
  const { rows } = await database.query<InstallerListRow>(
    `select ${INSTALLER_COLUMNS},
       coalesce((
         select array_agg(installation.code order by installation.code)
         from cleverctl.installer_assignment as assignment
         join cleverctl.installation on installation.id = assignment.installation_id
         where assignment.installer_id = installer.id
       ), '{}') as installations
     from cleverctl.installer
     where $1::text is null or installer.id in (
       select assignment.installer_id
       from cleverctl.installer_assignment as assignment
       join cleverctl.installation on installation.id = assignment.installation_id
       where installation.code = $1
     )
     order by installer.email`,
    [installation ?? null],
  )
  return rows
}

/** The named installations that exist. */
export async function selectInstallations(
  database: Queryable,
  codes: readonly string[],
): Promise<{ id: string; code: string; retiredAt: Date | null }[]> {
  const { rows } = await database.query<{ id: string; code: string; retiredAt: Date | null }>(
    `select id, code, retired_at as "retiredAt" from cleverctl.installation where code = any($1::text[])`,
    [codes],
  )
  return rows
}

/** Assigns an installer. @returns the ids of the installations that were not assigned before */
export async function insertAssignments(
  transaction: Transaction,
  assignment: { installerId: string; installationIds: readonly string[]; at: Date },
): Promise<string[]> {
  const { rows } = await transaction.query<{ id: string }>(
    `insert into cleverctl.installer_assignment (installer_id, installation_id, assigned_at)
     select $1, wanted.id, $3 from unnest($2::bigint[]) as wanted (id)
     on conflict do nothing returning installation_id as id`,
    [assignment.installerId, assignment.installationIds, assignment.at],
  )
  return rows.map((row) => row.id)
}

/** Ends assignments. @returns the ids of the installations that were assigned before */
export async function deleteAssignments(
  transaction: Transaction,
  assignment: { installerId: string; installationIds: readonly string[] },
): Promise<string[]> {
  const { rows } = await transaction.query<{ id: string }>(
    `delete from cleverctl.installer_assignment
     where installer_id = $1 and installation_id = any($2::bigint[]) returning installation_id as id`,
    [assignment.installerId, assignment.installationIds],
  )
  return rows.map((row) => row.id)
}
