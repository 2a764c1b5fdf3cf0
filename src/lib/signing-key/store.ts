import type { Queryable, Transaction } from '../database/database.js'
import type { NewSigningKey } from './generate.js'
import { ALGORITHM, type SigningKey } from './types.js'

const COLUMNS = `kid, state, public_jwk as "publicJwk", created_at as "createdAt",
  activated_at as "activatedAt", verify_until as "verifyUntil", revoked_at as "revokedAt"`

/** Every signing key, newest first. */
export async function selectSigningKeys(queryable: Queryable): Promise<SigningKey[]> {
  const { rows } = await queryable.query<SigningKey>(
    `select ${COLUMNS} from cleverctl.signing_key order by created_at desc, kid`,
  )
  return rows
}

/** The ACTIVE key's sealed private half; undefined when there is no such key. */
export async function selectActiveSealed(
  queryable: Queryable,
): Promise<{ kid: string; sealedPrivate: Buffer } | undefined> {
  const { rows } = await queryable.query<{ kid: string; sealedPrivate: Buffer }>(
    `select kid, sealed_private as "sealedPrivate" from cleverctl.signing_key where state = 'ACTIVE'`,
  )
  return rows[0]
}

/** Lets one transaction at a time change signing keys. A row lock would not do: at first there is no row. */
export async function lockSigningKeys(transaction: Transaction): Promise<void> {
  await transaction.query(
    `select pg_advisory_xact_lock(hashtextextended('cleverctl.signing_key', 0))`,
  )
}

/** Adds a key in the given state. */
export async function insertSigningKey(
  transaction: Transaction,
  key: NewSigningKey,
  state: 'NEXT' | 'ACTIVE',
  now: Date,
): Promise<void> {
  await transaction.query(
    `insert into cleverctl.signing_key
       (kid, state, algorithm, public_jwk, sealed_private, created_at, activated_at)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [
      key.kid,
      state,
      ALGORITHM,
      JSON.stringify(key.publicJwk),
      key.sealedPrivate,
      now,
      state === 'ACTIVE' ? now : null,
    ],
  )
}

/** NEXT becomes ACTIVE. Move the former ACTIVE first: there is one at a time. */
export async function activateNext(transaction: Transaction, now: Date): Promise<void> {
  await transaction.query(
    `update cleverctl.signing_key set state = 'ACTIVE', activated_at = $1 where state = 'NEXT'`,
    [now],
  )
}

/** ACTIVE becomes VERIFY and loses its private half. */
export async function endSigning(transaction: Transaction, verifyUntil: Date): Promise<void> {
  await transaction.query(
    `update cleverctl.signing_key set state = 'VERIFY', verify_until = $1, sealed_private = null
     where state = 'ACTIVE'`,
    [verifyUntil],
  )
}

/** Writes down that the last token of these keys is dead. */
export async function retireLapsed(transaction: Transaction, now: Date): Promise<void> {
  await transaction.query(
    `update cleverctl.signing_key set state = 'RETIRED' where state = 'VERIFY' and verify_until <= $1`,
    [now],
  )
}

/** Revokes every key that could still sign or verify. */
export async function revokeAll(transaction: Transaction, now: Date): Promise<string[]> {
  const { rows } = await transaction.query<{ kid: string }>(
    `update cleverctl.signing_key set state = 'REVOKED', revoked_at = $1, sealed_private = null
     where state in ('NEXT', 'ACTIVE', 'VERIFY') returning kid`,
    [now],
  )
  return rows.map(({ kid }) => kid)
}
