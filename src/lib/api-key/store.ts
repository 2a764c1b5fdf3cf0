import type { Queryable, Transaction } from '../database/database.js'
import type { ApiKey } from './types.js'

const COLUMNS = `key.key_id as "keyId", key.version, key.state, key.created_at as "createdAt",
  key.expires_at as "expiresAt", key.grace_until as "graceUntil", key.revoked_at as "revokedAt",
  key.revoke_reason as "revokeReason", key.last_used_at as "lastUsedAt",
  host(key.last_used_address) as "lastUsedAddress", key.use_count::float8 as "useCount",
  key.adoption_percent as "adoptionPercent", key.adoption_from as "adoptionFrom"`

/** An installation as keys see it. */
export interface KeyOwner {
  id: string
  retiredAt: Date | null
}

/** Which of these codes are those of installations. */
export async function selectKnownCodes(
  queryable: Queryable,
  codes: readonly string[],
): Promise<string[]> {
  const { rows } = await queryable.query<{ code: string }>(
    'select code from cleverctl.installation where code = any($1::text[])',
    [codes],
  )
  return rows.map(({ code }) => code)
}

/** The installation with this code; undefined when there is none. */
export async function selectOwner(
  queryable: Queryable,
  code: string,
): Promise<KeyOwner | undefined> {
  const { rows } = await queryable.query<KeyOwner>(
    `select id, retired_at as "retiredAt" from cleverctl.installation where code = $1`,
    [code],
  )
  return rows[0]
}

/** The same, and nobody else changes this installation's keys until the transaction ends. */
export async function lockOwner(
  transaction: Transaction,
  code: string,
): Promise<KeyOwner | undefined> {
  // Not `for update`: that would make a gate wait that records a placement at the installation.
  const { rows } = await transaction.query<KeyOwner>(
    `select id, retired_at as "retiredAt" from cleverctl.installation where code = $1
     for no key update`,
    [code],
  )
  return rows[0]
}

/** Every key of an installation, newest first. */
export async function selectKeys(queryable: Queryable, ownerId: string): Promise<ApiKey[]> {
  const { rows } = await queryable.query<ApiKey>(
    `select ${COLUMNS} from cleverctl.api_key as key
     where key.installation_id = $1 order by key.version desc`,
    [ownerId],
  )
  return rows
}

/** The key of this installation that has this digest; undefined when there is none. */
export async function selectKeyByDigest(
  queryable: Queryable,
  code: string,
  digest: Buffer,
): Promise<ApiKey | undefined> {
  const { rows } = await queryable.query<ApiKey>(
    `select ${COLUMNS} from cleverctl.api_key as key
     join cleverctl.installation on installation.id = key.installation_id
     where installation.code = $1 and key.digest = $2`,
    [code, digest],
  )
  return rows[0]
}

/** Adds a key with the installation's next version, CURRENT unless said otherwise. */
export async function insertKey(
  transaction: Transaction,
  key: {
    ownerId: string
    keyId: string
    digest: Buffer
    sealed: Buffer | null
    createdAt: Date
    expiresAt: Date | null
    state?: 'PENDING'
  },
): Promise<{ version: number }> {
  const { rows } = await transaction.query<{ version: number }>(
    `insert into cleverctl.api_key
       (key_id, installation_id, version, state, digest, sealed, created_at, expires_at)
     select $1, $2::bigint, coalesce(max(version), 0) + 1, $7, $3, $6::bytea, $4::timestamptz, $5::timestamptz
     from cleverctl.api_key where installation_id = $2::bigint
     returning version`,
    [
      key.keyId,
      key.ownerId,
      key.digest,
      key.createdAt,
      key.expiresAt,
      key.sealed,
      key.state ?? 'CURRENT',
    ],
  )
  const [row] = rows
  if (row === undefined) throw new Error('the new API key has no row')
  return row
}

/** A key that waits until those who use it have confirmed that they have it. */
export interface PendingKey {
  keyId: string
  version: number
  createdAt: Date
  /** Null where somebody else than the tool has made it. */
  sealed: Buffer | null
}

/** The PENDING key of an installation; undefined when there is none. */
export async function selectPendingKey(
  queryable: Queryable,
  ownerId: string,
): Promise<PendingKey | undefined> {
  const { rows } = await queryable.query<PendingKey>(
    `select key_id as "keyId", version, created_at as "createdAt", sealed
     from cleverctl.api_key where installation_id = $1 and state = 'PENDING'`,
    [ownerId],
  )
  return rows[0]
}

/** Makes a PENDING key the CURRENT one. @returns false when it is not PENDING any more */
export async function promoteKey(
  transaction: Transaction,
  ownerId: string,
  key: { keyId: string; expiresAt: Date | null; isHandedOver: boolean },
): Promise<boolean> {
  const { rowCount } = await transaction.query(
    `update cleverctl.api_key set state = 'CURRENT', expires_at = $3,
       sealed = case when $4::boolean then sealed end
     where installation_id = $1 and key_id = $2 and state = 'PENDING'`,
    [ownerId, key.keyId, key.expiresAt, key.isHandedOver],
  )
  return rowCount === 1
}

/**
 * Takes the lock that lets one delivery of an installation's keys run at a time, if it is free now. The transaction
 * may then wait as long as the delivery takes; the lock ends with it.
 */
export async function tryLockDelivery(
  transaction: Transaction,
  installation: string,
): Promise<boolean> {
  await transaction.query('set local idle_in_transaction_session_timeout = 0')
  const { rows } = await transaction.query<{ isLocked: boolean }>(
    `select pg_try_advisory_xact_lock(hashtextextended('cleverctl.api-key.deliver ' || $1, 0)) as "isLocked"`,
    [installation],
  )
  return rows[0]?.isLocked === true
}

/** Makes room for a new CURRENT key where the old one has expired. */
export async function retireExpiredCurrent(
  transaction: Transaction,
  ownerId: string,
  now: Date,
): Promise<void> {
  await transaction.query(
    `update cleverctl.api_key set state = 'RETIRED', retired_at = expires_at
     where installation_id = $1 and state = 'CURRENT' and expires_at <= $2`,
    [ownerId, now],
  )
}

/**
 * Ends what opened the gate so far: each key works until `deadline`, or until its own grace or expiry
 * where that comes first. What ends by `now` is retired. With `adoption` the end comes sooner, as soon
 * as `percent` of the installation's devices were seen with the current key, but not before `from`.
 * Sealed copies of keys that are handed out no more are erased.
 */
export async function endFormerKeys(
  transaction: Transaction,
  ownerId: string,
  {
    now,
    deadline,
    adoption,
  }: { now: Date; deadline: Date; adoption: { percent: number; from: Date } | undefined },
): Promise<void> {
  await transaction.query(
    `update cleverctl.api_key as key set
       state = case when last.moment <= $2::timestamptz then 'RETIRED' else 'GRACE' end,
       grace_until = case when last.moment <= $2::timestamptz then key.grace_until else last.moment end,
       retired_at = case when last.moment <= $2::timestamptz then last.moment end,
       sealed = null, adoption_percent = $4::smallint, adoption_from = $5::timestamptz
     from (
       select id, least(grace_until, expires_at, $3::timestamptz) as moment
       from cleverctl.api_key where installation_id = $1 and state in ('CURRENT', 'GRACE')
     ) as last
     where last.id = key.id`,
    [ownerId, now, deadline, adoption?.percent ?? null, adoption?.from ?? null],
  )
}

/** Revokes these keys of an installation; those revoked before stay as they are. */
export async function revokeKeys(
  transaction: Transaction,
  ownerId: string,
  revocation: { keyIds: readonly string[]; reason: string; now: Date },
): Promise<void> {
  await transaction.query(
    `update cleverctl.api_key set state = 'REVOKED', revoked_at = $3, revoke_reason = $4, sealed = null
     where installation_id = $1 and key_id = any($2::text[]) and state <> 'REVOKED'`,
    [ownerId, revocation.keyIds, revocation.now, revocation.reason],
  )
}
