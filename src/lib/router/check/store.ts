import type { Queryable } from '../../database/database.js'
import type { CurrentCredential } from '../store.js'
import type { RouterDriver } from '../types.js'

/** A credential in force, or a former passphrase that still works, with the router that has it. */
export interface CheckedCredential extends CurrentCredential {
  routerId: string
  state: 'CURRENT' | 'GRACE'
}

/** How many routers there are. */
export async function countRouters(
  database: Queryable,
  driver: RouterDriver | undefined,
): Promise<number> {
  const { rows } = await database.query<{ count: number }>(
    `select count(*)::integer as count from cleverctl.router
     where removed_at is null and ($1::text is null or driver = $1)`,
    [driver ?? null],
  )
  return rows[0]?.count ?? 0
}

/** The credentials of some routers that work, sealed. */
export async function selectCredentialsOf(
  database: Queryable,
  routerIds: readonly string[],
): Promise<CheckedCredential[]> {
  const { rows } = await database.query<CheckedCredential>(
    `select router_id as "routerId", credential_id as "credentialId", kind, version, name, digest, sealed, state
     from cleverctl.router_credential where router_id = any($1::bigint[]) and state in ('CURRENT', 'GRACE')`,
    [routerIds],
  )
  return rows
}

/** Those of some routers that have a rotation open. */
export async function selectRotating(
  database: Queryable,
  routerIds: readonly string[],
): Promise<Set<string>> {
  const { rows } = await database.query<{ id: string }>(
    `select router_id as id from cleverctl.router_rotation
     where router_id = any($1::bigint[]) and settled_at is null`,
    [routerIds],
  )
  return new Set(rows.map(({ id }) => id))
}

/** Passwords and passphrases of some routers that another router has as well. */
export async function selectShared(
  database: Queryable,
  routerIds: readonly string[],
): Promise<{ routerId: string; kind: 'admin' | 'wifi'; others: number }[]> {
  const { rows } = await database.query<{
    routerId: string
    kind: 'admin' | 'wifi'
    others: number
  }>(
    `select own.router_id as "routerId", own.kind, count(distinct other.router_id)::integer as others
     from cleverctl.router_credential as own
     join cleverctl.router_credential as other
       on other.digest = own.digest and other.router_id <> own.router_id
       and other.state = 'CURRENT' and other.kind <> 'identity'
     where own.router_id = any($1::bigint[]) and own.state = 'CURRENT' and own.kind <> 'identity'
     group by own.router_id, own.kind`,
    [routerIds],
  )
  return rows
}
