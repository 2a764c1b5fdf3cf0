import type { Queryable, Transaction } from '../../database/database.js'
import type { CurrentCredential } from '../store.js'
import type { CredentialKind } from '../types.js'
import type { Part } from './types.js'

/** Adds a new secret that is not in force. @returns its version; undefined when the fleet has this secret already */
export async function insertStaged(
  transaction: Transaction,
  credential: {
    routerId: string
    rotationId: string
    credentialId: string
    kind: CredentialKind
    name: string
    digest: Buffer
    sealed: Buffer
    at: Date
  },
): Promise<number | undefined> {
  const { rows } = await transaction.query<{ version: number }>(
    `insert into cleverctl.router_credential (credential_id, router_id, rotation_id, kind, version, state, origin,
       name, digest, sealed, created_at)
     select $1, $2, $3, $4, coalesce(max(version), 0) + 1, 'STAGED', 'generated', $5, $6, $7, $8
     from cleverctl.router_credential where router_id = $2 and kind = $4
     on conflict (digest) where origin = 'generated' do nothing
     returning version`,
    [
      credential.credentialId,
      credential.routerId,
      credential.rotationId,
      credential.kind,
      credential.name,
      credential.digest,
      credential.sealed,
      credential.at,
    ],
  )
  return rows[0]?.version
}

/** Whether a Wi-Fi of the fleet has or had this name. */
export async function isSsidTaken(database: Queryable, ssid: string): Promise<boolean> {
  const { rows } = await database.query(
    `select from cleverctl.router_credential where kind = 'wifi' and name = $1 limit 1`,
    [ssid],
  )
  return rows.length > 0
}

/** The new secrets of a rotation that is not settled. */
export async function selectStaged(
  database: Queryable,
  rotationId: string,
): Promise<CurrentCredential[]> {
  const { rows } = await database.query<CurrentCredential>(
    `select credential_id as "credentialId", kind, version, name, digest, sealed, created_at as "createdAt"
     from cleverctl.router_credential where rotation_id = $1 order by kind`,
    [rotationId],
  )
  return rows
}

/**
 * Puts new secrets in force in place of those that were.
 * @param given.graceUntil a former passphrase works until then; null: it is retired at once
 */
export async function putInForce(
  transaction: Transaction,
  given: {
    routerId: string
    rotationId: string
    kinds: readonly Part[]
    graceUntil: Date | null
    at: Date
  },
): Promise<void> {
  const { routerId, rotationId, kinds, graceUntil, at } = given
  await transaction.query(
    `update cleverctl.router_credential set
       state = case when kind = 'wifi' and $3::timestamptz is not null then 'GRACE' else 'RETIRED' end,
       grace_until = case when kind = 'wifi' then $3::timestamptz end,
       retired_at = case when kind = 'wifi' and $3::timestamptz is not null then null else $4::timestamptz end
     where router_id = $1 and state = 'CURRENT' and kind = any($2)`,
    [routerId, kinds, graceUntil, at],
  )
  await transaction.query(
    `update cleverctl.router_credential set state = 'CURRENT' where rotation_id = $1 and kind = any($2)`,
    [rotationId, kinds],
  )
}

/** Gives up the new secrets of a rotation that are not in force. */
export async function rollBackStaged(
  transaction: Transaction,
  rotationId: string,
  at: Date,
): Promise<void> {
  await transaction.query(
    `update cleverctl.router_credential set state = 'ROLLED_BACK', retired_at = $2
     where rotation_id = $1 and state in ('STAGED', 'SET', 'TESTED', 'UNKNOWN')`,
    [rotationId, at],
  )
}
