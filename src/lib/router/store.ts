import type { Queryable, Transaction } from '../database/database.js'
import type { HostKey, JumpHost } from '../ssh/types.js'
import type { CredentialKind, RouterDriver, RouterFacts } from './types.js'

/** A router's row. */
export interface RouterRow extends RouterFacts {
  id: string
  installation: string
  addedAt: Date
  verifiedAt: Date | null
}

/** A credential as everybody may see it. */
export interface CredentialRow {
  kind: CredentialKind
  version: number
  state: string
  origin: 'adopted' | 'generated'
  name: string
  createdAt: Date
  retiredAt: Date | null
}

/** A credential that is in force, with what is sealed. */
export interface CurrentCredential {
  credentialId: string
  kind: CredentialKind
  version: number
  name: string
  digest: Buffer
  sealed: Buffer
  createdAt: Date
}

const HOST_KEY = (table: string) =>
  `jsonb_build_object('type', ${table}.host_key_type, 'fingerprint',
    'SHA256:' || rtrim(encode(${table}.host_key_sha256, 'base64'), '='))`

const COLUMNS = `router.id, installation.code as installation, router.driver, router.address, router.port,
  router.username, router.login, ${HOST_KEY('router')} as "hostKey", router.added_at as "addedAt",
  router.verified_at as "verifiedAt", (
    select coalesce(jsonb_agg(jsonb_build_object('address', jump.address, 'port', jump.port,
      'username', jump.username, 'hostKey', ${HOST_KEY('jump')}) order by jump.position), '[]')
    from cleverctl.router_jump as jump where jump.router_id = router.id
  ) as jumps`

/** The router of an installation; undefined where none is recorded. */
export async function selectRouter(
  database: Queryable,
  installation: string,
): Promise<RouterRow | undefined> {
  const { rows } = await database.query<RouterRow>(
    `select ${COLUMNS} from cleverctl.router
     join cleverctl.installation on installation.id = router.installation_id
     where installation.code = $1 and router.removed_at is null`,
    [installation],
  )
  return rows[0]
}

/** A page of routers by the code of their installation. */
export async function selectRouterPage(
  database: Queryable,
  page: { driver: RouterDriver | undefined; after: string | undefined; limit: number },
): Promise<RouterRow[]> {
  const { rows } = await database.query<RouterRow>(
    `select ${COLUMNS} from cleverctl.router
     join cleverctl.installation on installation.id = router.installation_id
     where router.removed_at is null and ($1::text is null or router.driver = $1)
       and ($2::text is null or installation.code > $2)
     order by installation.code limit $3`,
    [page.driver ?? null, page.after ?? null, page.limit],
  )
  return rows
}

/** Adds a router, without credentials. @returns its id */
export async function insertRouter(
  transaction: Transaction,
  router: RouterFacts & { installationId: string; at: Date; verifiedAt: Date | null },
): Promise<string> {
  const { rows } = await transaction.query<{ id: string }>(
    `insert into cleverctl.router (installation_id, driver, address, port, username, login,
       host_key_type, host_key_sha256, added_at, verified_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning id`,
    [
      router.installationId,
      router.driver,
      router.address,
      router.port,
      router.username,
      router.login,
      ...pin(router.hostKey),
      router.at,
      router.verifiedAt,
    ],
  )
  const id = rows[0]?.id ?? ''
  await insertJumps(transaction, id, router.jumps)
  return id
}

/** Replaces what is recorded of a router, beside its credentials. */
export async function updateRouter(
  transaction: Transaction,
  router: RouterFacts & { id: string; verifiedAt: Date | null },
): Promise<void> {
  await transaction.query(
    `update cleverctl.router set driver = $2, address = $3, port = $4, username = $5, login = $6,
       host_key_type = $7, host_key_sha256 = $8, verified_at = $9, refusals = 0
     where id = $1`,
    [
      router.id,
      router.driver,
      router.address,
      router.port,
      router.username,
      router.login,
      ...pin(router.hostKey),
      router.verifiedAt,
    ],
  )
  await transaction.query('delete from cleverctl.router_jump where router_id = $1', [router.id])
  await insertJumps(transaction, router.id, router.jumps)
}

async function insertJumps(
  transaction: Transaction,
  routerId: string,
  jumps: readonly JumpHost[],
): Promise<void> {
  const keys = jumps.map(({ hostKey }) => pin(hostKey))
  await transaction.query(
    `insert into cleverctl.router_jump (router_id, position, address, port, username, host_key_type,
       host_key_sha256)
     select $1, position, address, port, username, type, sha256
     from unnest($2::text[], $3::integer[], $4::text[], $5::text[], $6::bytea[])
       with ordinality as jump (address, port, username, type, sha256, position)`,
    [
      routerId,
      jumps.map(({ address }) => address),
      jumps.map(({ port }) => port),
      jumps.map(({ username }) => username),
      keys.map(([type]) => type),
      keys.map(([, sha256]) => sha256),
    ],
  )
}

function pin({ type, fingerprint }: HostKey): [type: string, sha256: Buffer] {
  return [type, Buffer.from(fingerprint.replace('SHA256:', ''), 'base64')]
}

/** Gives a router another host key. */
export async function updateHostKey(
  transaction: Transaction,
  router: { id: string; hostKey: HostKey; verifiedAt: Date | null },
): Promise<void> {
  await transaction.query(
    `update cleverctl.router set host_key_type = $2, host_key_sha256 = $3, verified_at = $4
     where id = $1`,
    [router.id, ...pin(router.hostKey), router.verifiedAt],
  )
}

/** Every credential that a router has or had, without what is secret; newest first. */
export async function selectCredentials(
  database: Queryable,
  routerId: string,
): Promise<CredentialRow[]> {
  const { rows } = await database.query<CredentialRow>(
    `select kind, version, state, origin, name, created_at as "createdAt", retired_at as "retiredAt"
     from cleverctl.router_credential where router_id = $1 order by kind, version desc`,
    [routerId],
  )
  return rows
}

/** The credentials of a router that are in force, sealed. */
export async function selectCurrentCredentials(
  database: Queryable,
  routerId: string,
): Promise<CurrentCredential[]> {
  const { rows } = await database.query<CurrentCredential>(
    `select credential_id as "credentialId", kind, version, name, digest, sealed, created_at as "createdAt"
     from cleverctl.router_credential where router_id = $1 and state = 'CURRENT'`,
    [routerId],
  )
  return rows
}

/** Puts a credential in force, and retires the one of its kind that was. @returns its version */
export async function replaceCredential(
  transaction: Transaction,
  credential: {
    routerId: string
    credentialId: string
    kind: CredentialKind
    name: string
    digest: Buffer
    sealed: Buffer
    at: Date
  },
): Promise<number> {
  await transaction.query(
    `update cleverctl.router_credential set state = 'RETIRED', retired_at = $3
     where router_id = $1 and kind = $2 and state = 'CURRENT'`,
    [credential.routerId, credential.kind, credential.at],
  )
  const { rows } = await transaction.query<{ version: number }>(
    `insert into cleverctl.router_credential (credential_id, router_id, kind, version, state, origin,
       name, digest, sealed, created_at)
     select $1, $2, $3, coalesce(max(version), 0) + 1, 'CURRENT', 'adopted', $4, $5, $6, $7
     from cleverctl.router_credential where router_id = $2 and kind = $3
     returning version`,
    [
      credential.credentialId,
      credential.routerId,
      credential.kind,
      credential.name,
      credential.digest,
      credential.sealed,
      credential.at,
    ],
  )
  return rows[0]?.version ?? 0
}

/** How many other routers have a secret in force with one of these digests. */
export async function countShared(
  database: Queryable,
  given: { installation: string; digests: readonly Buffer[] },
): Promise<number> {
  const { rows } = await database.query<{ routers: number }>(
    `select count(distinct router.id)::integer as routers
     from cleverctl.router_credential as credential
     join cleverctl.router on router.id = credential.router_id
     join cleverctl.installation on installation.id = router.installation_id
     where credential.digest = any($2::bytea[]) and credential.state = 'CURRENT'
       and credential.kind <> 'identity' and installation.code <> $1`,
    [given.installation, given.digests],
  )
  return rows[0]?.routers ?? 0
}

/** Ends a router's record and erases its secrets. */
export async function markRemoved(transaction: Transaction, id: string, at: Date): Promise<void> {
  await transaction.query(
    `update cleverctl.router_credential set sealed = null,
       state = case when retired_at is null then 'RETIRED' else state end,
       retired_at = coalesce(retired_at, $2)
     where router_id = $1`,
    [id, at],
  )
  await transaction.query('update cleverctl.router set removed_at = $2 where id = $1', [id, at])
}

/** The sealed pepper of the fleet; undefined before the first secret. */
export async function selectPepper(database: Queryable): Promise<Buffer | undefined> {
  const { rows } = await database.query<{ sealed: Buffer }>(
    `select sealed from cleverctl.router_pepper where id = 'fleet'`,
  )
  return rows[0]?.sealed
}

/** Stores the pepper, unless somebody else was quicker. */
export async function insertPepper(database: Queryable, sealed: Buffer): Promise<void> {
  await database.query(
    `insert into cleverctl.router_pepper (id, sealed) values ('fleet', $1) on conflict do nothing`,
    [sealed],
  )
}
