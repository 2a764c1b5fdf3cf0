import type { Queryable, Transaction } from '../database/database.js'
import type { InstallationFacts, InstallationState } from './types.js'

/** An installation's row. */
export interface InstallationRow extends InstallationFacts {
  id: string
  createdAt: Date
  retiredAt: Date | null
}

/** An installation with the number of devices that stand there. */
export interface InstallationWithDevices extends InstallationRow {
  devices: number
}

const COLUMNS = `installation.id, installation.code, installation.name, installation.timezone,
  installation.latitude, installation.longitude, installation.created_at as "createdAt",
  installation.retired_at as "retiredAt"`

const DEVICES = `(
    select count(*)::integer from cleverctl.placement
    where placement.installation_id = installation.id and upper_inf(placement.during)
  ) as devices`

/** The installations among these codes. */
export async function selectByCodes(
  database: Queryable,
  codes: readonly string[],
): Promise<InstallationRow[]> {
  const { rows } = await database.query<InstallationRow>(
    `select ${COLUMNS} from cleverctl.installation where code = any($1::text[])`,
    [codes],
  )
  return rows
}

/** The installation with this code, locked until the transaction ends. */
export async function lockInstallation(
  transaction: Transaction,
  code: string,
): Promise<InstallationRow | undefined> {
  const { rows } = await transaction.query<InstallationRow>(
    `select ${COLUMNS} from cleverctl.installation where code = $1 for update`,
    [code],
  )
  return rows[0]
}

/** Adds installations. @returns the codes that were not taken */
export async function insertInstallations(
  transaction: Transaction,
  installations: readonly InstallationFacts[],
  at: Date,
): Promise<string[]> {
  const column = <Key extends keyof InstallationFacts>(key: Key) =>
    installations.map((row) => row[key])
  const { rows } = await transaction.query<{ code: string }>(
    `insert into cleverctl.installation (code, name, timezone, latitude, longitude, created_at)
     select code, name, timezone, latitude, longitude, $6
     from unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::float8[])
       as new (code, name, timezone, latitude, longitude)
     on conflict (code) do nothing returning code`,
    [
      column('code'),
      column('name'),
      column('timezone'),
      column('latitude'),
      column('longitude'),
      at,
    ],
  )
  return rows.map(({ code }) => code)
}

/** One installation with its devices and the id of its current API key. */
export async function selectInstallation(
  database: Queryable,
  code: string,
  now: Date,
): Promise<(InstallationWithDevices & { currentKeyId: string | null }) | undefined> {
  const { rows } = await database.query<InstallationWithDevices & { currentKeyId: string | null }>(
    `select ${COLUMNS}, ${DEVICES}, (
       select api_key.key_id from cleverctl.api_key
       where api_key.installation_id = installation.id and api_key.state = 'CURRENT'
         and (api_key.expires_at is null or api_key.expires_at > $2)
     ) as "currentKeyId"
     from cleverctl.installation where code = $1`,
    [code, now],
  )
  return rows[0]
}

/** A page of installations by code. */
export async function selectInstallationPage(
  database: Queryable,
  page: {
    state: InstallationState | undefined
    codePrefix: string | undefined
    after: string | undefined
    limit: number
  },
): Promise<InstallationWithDevices[]> {
  // In byte order a tilde comes after every character of a code.
  const { rows } = await database.query<InstallationWithDevices>(
    `select ${COLUMNS}, ${DEVICES} from cleverctl.installation
     where ($1::text is null or (installation.retired_at is null) = ($1 = 'active'))
       and ($2::text is null or (code >= $2 and code < $2 || '~'))
       and ($3::text is null or code > $3)
     order by code limit $4`,
    [page.state ?? null, page.codePrefix ?? null, page.after ?? null, page.limit],
  )
  return rows
}

/** Retires an installation: raising the epoch ends every token that was issued for it. */
export async function markRetired(transaction: Transaction, id: string, at: Date): Promise<void> {
  await transaction.query(
    `update cleverctl.installation set retired_at = $2, token_epoch = token_epoch + 1 where id = $1`,
    [id, at],
  )
}

/** How many devices stand at an installation. */
export async function countDevices(transaction: Transaction, id: string): Promise<number> {
  const { rows } = await transaction.query<{ count: number }>(
    `select count(*)::integer as count from cleverctl.placement
     where installation_id = $1 and upper_inf(during)`,
    [id],
  )
  return rows[0]?.count ?? 0
}

/** Ends every placement at an installation, none before it has begun. */
export async function closePlacements(
  transaction: Transaction,
  installation: { id: string; at: Date; removedBy: string },
): Promise<void> {
  await transaction.query(
    `update cleverctl.placement
     set during = tstzrange(lower(during), greatest($2::timestamptz, lower(during) + interval '1 millisecond'), '[)'),
       removed_by = $3
     where installation_id = $1 and upper_inf(during)`,
    [installation.id, installation.at, installation.removedBy],
  )
}
