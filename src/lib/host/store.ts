import type { Queryable, Transaction } from '../database/database.js'
import type { HostKey } from '../ssh/types.js'
import type { HostFacts, HostRole } from './types.js'

/** A host's row, without what is sealed. */
export interface HostRow extends HostFacts {
  id: string
  /** `SHA256:…` of the public key whose private one opens the host; null: an engineer's ssh-agent has it. */
  identity: string | null
  addedAt: Date
  verifiedAt: Date | null
}

/** The private key of a host as it is stored. */
export interface SealedIdentity {
  identityId: string
  sealed: Buffer
  /** `SHA256:…` of the public key. */
  fingerprint: string
}

const FINGERPRINT = (column: string) => `'SHA256:' || rtrim(encode(${column}, 'base64'), '=')`

const COLUMNS = `id, name, role, address, port, username, location, stanza,
  jsonb_build_object('type', host_key_type, 'fingerprint', ${FINGERPRINT('host_key_sha256')}) as "hostKey",
  case when role = 'database'
    then jsonb_build_object('port', postgresql_port, 'dataDirectory', data_directory) end as postgresql,
  case when snapshot_driver is not null
    then jsonb_build_object('driver', snapshot_driver, 'directory', snapshot_directory) end as snapshot,
  case when backup_directory is not null
    then jsonb_build_object('directory', backup_directory, 'role', replication_role) end as basebackup,
  ${FINGERPRINT('identity_sha256')} as identity, added_at as "addedAt", verified_at as "verifiedAt"`

/** The host of this name; undefined where none is recorded. */
export async function selectHost(database: Queryable, name: string): Promise<HostRow | undefined> {
  const { rows } = await database.query<HostRow>(
    `select ${COLUMNS} from cleverctl.host where name = $1 and removed_at is null`,
    [name],
  )
  return rows[0]
}

/** The same; nobody else changes it until the transaction ends. */
export async function lockHost(
  transaction: Transaction,
  name: string,
): Promise<HostRow | undefined> {
  const { rows } = await transaction.query<HostRow>(
    `select ${COLUMNS} from cleverctl.host where name = $1 and removed_at is null for update`,
    [name],
  )
  return rows[0]
}

/** Every host, databases first, by name. */
export async function selectHosts(
  database: Queryable,
  role: HostRole | undefined,
): Promise<HostRow[]> {
  const { rows } = await database.query<HostRow>(
    `select ${COLUMNS} from cleverctl.host
     where removed_at is null and ($1::text is null or role = $1) order by role desc, name`,
    [role ?? null],
  )
  return rows
}

/** The sealed private keys of hosts, by the id of each; one that the ssh-agent has is not among them. */
export async function selectSealedIdentities(
  database: Queryable,
  hostIds: readonly string[],
): Promise<Map<string, Pick<SealedIdentity, 'identityId' | 'sealed'>>> {
  const { rows } = await database.query<{ id: string; identityId: string; sealed: Buffer }>(
    `select id, identity_id as "identityId", sealed from cleverctl.host
     where id = any($1::bigint[]) and sealed is not null`,
    [hostIds],
  )
  return new Map(rows.map(({ id, ...identity }) => [id, identity]))
}

/** What a host's row is written from. */
export interface HostToWrite extends HostFacts {
  identity: SealedIdentity | undefined
  verifiedAt: Date | null
}

/** Adds a host. Does nothing when another one of that name was quicker. @returns whether it was added */
export async function insertHost(
  transaction: Transaction,
  host: HostToWrite,
  at: Date,
): Promise<boolean> {
  const { rowCount } = await transaction.query(
    `insert into cleverctl.host (name, role, address, port, username, host_key_type, host_key_sha256, location,
       stanza, postgresql_port, data_directory, snapshot_driver, snapshot_directory, identity_id, identity_sha256,
       sealed, verified_at, backup_directory, replication_role, added_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
     on conflict do nothing`,
    [...valuesOf(host), at],
  )
  return rowCount === 1
}

/** Replaces everything that is recorded of a host. */
export async function updateHost(
  transaction: Transaction,
  id: string,
  host: HostToWrite,
): Promise<void> {
  await transaction.query(
    `update cleverctl.host set (name, role, address, port, username, host_key_type, host_key_sha256, location,
       stanza, postgresql_port, data_directory, snapshot_driver, snapshot_directory, identity_id, identity_sha256,
       sealed, verified_at, backup_directory, replication_role)
     = ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
     where id = $20`,
    [...valuesOf(host), id],
  )
}

function valuesOf(host: HostToWrite): unknown[] {
  const { postgresql, snapshot, basebackup, identity } = host
  return [
    host.name,
    host.role,
    host.address,
    host.port,
    host.username,
    host.hostKey.type,
    digestOf(host.hostKey.fingerprint),
    host.location,
    host.stanza,
    postgresql?.port ?? null,
    postgresql?.dataDirectory ?? null,
    snapshot?.driver ?? null,
    snapshot?.directory ?? null,
    identity?.identityId ?? null,
    identity ? digestOf(identity.fingerprint) : null,
    identity?.sealed ?? null,
    host.verifiedAt,
    basebackup?.directory ?? null,
    basebackup?.role ?? null,
  ]
}

function digestOf(fingerprint: string): Buffer {
  return Buffer.from(fingerprint.replace('SHA256:', ''), 'base64')
}

/** Gives a host another host key. */
export async function updateHostKey(
  transaction: Transaction,
  host: { id: string; hostKey: HostKey; verifiedAt: Date | null },
): Promise<void> {
  await transaction.query(
    `update cleverctl.host set host_key_type = $2, host_key_sha256 = $3, verified_at = $4 where id = $1`,
    [host.id, host.hostKey.type, digestOf(host.hostKey.fingerprint), host.verifiedAt],
  )
}

/** Ends a host's record and erases its private key. */
export async function markHostRemoved(
  transaction: Transaction,
  id: string,
  at: Date,
): Promise<void> {
  await transaction.query(
    'update cleverctl.host set sealed = null, removed_at = $2 where id = $1',
    [id, at],
  )
}
