import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { Database, Queryable } from '../../src/lib/database/database.js'
import type { Keyring } from '../../src/lib/keyring/keyring.js'
import { sealingKeyId } from '../../src/lib/keyring/sealing.js'

/** Number 0 to 9999 as the id of a sealed row. */
const idOf = (number: number) => `Key${String(number).padStart(5, '0')}`

/**
 * Seals a row of each kind under every number. What is sealed follows from the row's id. For more
 * than one number first drop the indexes that let one signing key and one authority be active.
 */
export async function insertSealedRows(
  database: Queryable,
  keyring: Keyring,
  numbers: readonly number[],
): Promise<void> {
  const ids = numbers.map(idOf)
  const seal = (kind: string) => ids.map((id) => keyring.seal(secretOf(id), `${kind}:${id}`))
  await database.query(
    `insert into cleverctl.signing_key (kid, state, algorithm, public_jwk, sealed_private)
    select kid, 'ACTIVE', 'ES256', '{}', sealed from unnest($1::text[], $2::bytea[]) as made (kid, sealed)`,
    [ids, seal('signing-key')],
  )
  await database.query(
    `with installation as (
      insert into cleverctl.installation (code, name, timezone, latitude, longitude)
      select 'site-' || key_id, key_id, 'UTC', 0, 0 from (select lower(unnest($1::text[])) as key_id) as made
      returning id, code)
    insert into cleverctl.api_key (key_id, installation_id, version, state, digest, sealed)
    select key_id, installation.id, 1, 'CURRENT', decode(repeat('00', 32), 'hex'), sealed
    from unnest($1::text[], $2::bytea[]) as made (key_id, sealed)
    join installation on installation.code = 'site-' || lower(key_id)`,
    [ids, seal('api-key')],
  )
  await database.query(
    `with router as (
      insert into cleverctl.router (installation_id, driver, address, port, username, login, host_key_type,
        host_key_sha256, added_at)
      select id, 'openwrt', '127.0.0.1', 22, 'root', 'password', 'ssh-ed25519', sha256(''), now()
      from cleverctl.installation where code in (select 'site-' || lower(unnest($1::text[])))
      returning id, installation_id)
    insert into cleverctl.router_credential (credential_id, router_id, kind, version, state, origin, name,
      digest, sealed, created_at)
    select made.id, router.id, 'admin', 1, 'CURRENT', 'adopted', 'root', sha256(''), sealed, now()
    from unnest($1::text[], $2::bytea[]) as made (id, sealed)
    join cleverctl.installation on installation.code = 'site-' || lower(made.id)
    join router on router.installation_id = installation.id`,
    [ids, seal('router-credential')],
  )
  await database.query(
    `insert into cleverctl.router_pepper (id, sealed)
    select id, sealed from unnest($1::text[], $2::bytea[]) as made (id, sealed)`,
    [ids, seal('router-pepper')],
  )
  await database.query(
    `insert into cleverctl.host (name, role, address, port, username, host_key_type, host_key_sha256, stanza,
      identity_id, identity_sha256, sealed, added_at)
    select lower(id), 'backup', '127.0.0.1', 22, 'pgbackrest', 'ssh-ed25519', sha256(''), 'main', id, sha256(''),
      sealed, now()
    from unnest($1::text[], $2::bytea[]) as made (id, sealed)`,
    [ids, seal('host-identity')],
  )
  await database.query(
    `insert into cleverctl.backup_repository (stanza, number, kind, settings, passphrase_id, sealed, state, changed_at)
    select id, 2, 'posix', '{}', id, sealed, 'REMOVED', now()
    from unnest($1::text[], $2::bytea[]) as made (id, sealed)`,
    [ids, seal('backup-repository')],
  )
  await database.query(
    `insert into cleverctl.access_ca (id, certificate, revocation_list, sealed, created_at)
    select id, '', '', sealed, now() from unnest($1::text[], $2::bytea[]) as made (id, sealed)`,
    [ids, seal('access-ca')],
  )
}

/**
 * Opens every sealed row and compares it with what was sealed.
 * @returns the ids of the keys that seal, without doubles
 */
export async function openSealedRows(database: Database, keyring: Keyring): Promise<string[]> {
  const { rows } = await database.query<{ kind: string; id: string; sealed: Buffer }>(
    `select 'signing-key' as kind, kid as id, sealed_private as sealed from cleverctl.signing_key
    union all select 'api-key', key_id, sealed from cleverctl.api_key
    union all select 'router-credential', credential_id, sealed from cleverctl.router_credential
    union all select 'router-pepper', id, sealed from cleverctl.router_pepper
    union all select 'host-identity', identity_id, sealed from cleverctl.host
    union all select 'backup-repository', passphrase_id, sealed from cleverctl.backup_repository
    union all select 'access-ca', id, sealed from cleverctl.access_ca`,
  )
  for (const { kind, id, sealed } of rows) {
    assert.deepEqual(keyring.open(sealed, `${kind}:${id}`), secretOf(id))
  }
  return [...new Set(rows.map(({ sealed }) => sealingKeyId(sealed)))]
}

function secretOf(id: string): Buffer {
  return createHash('sha256').update(id).digest()
}
