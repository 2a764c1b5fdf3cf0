import type { Queryable } from '../database/database.js'

/** Where an installation's keys and devices stand. */
export interface RotationRow {
  installationId: string
  installation: string
  current: {
    keyId: string
    version: number
    createdAt: Date
    expiresAt: Date | null
  } | null
  /** Former keys that still open the gate, newest first. */
  former: FormerKeyRow[]
  /** A key that waits to be confirmed where it is used. */
  pendingKeyId: string | null
  /** Devices that stand there and may send. */
  devices: number
  /** How many of them were seen with the current key. */
  adopted: number
}

/** A former key that still opens the gate. */
export interface FormerKeyRow {
  keyId: string
  version: number
  graceUntil: Date
  adoptionPercent: number | null
  adoptionFrom: Date | null
}

/** A device that was not seen with the current key. */
export interface StragglerRow {
  installationId: string
  serial: string
  lastSeenAt: Date | null
  lastKeyId: string | null
}

interface Columns {
  id: string
  code: string
  key_id: string | null
  version: number
  created_at: Date
  expires_at: Date | null
  former: {
    keyId: string
    version: number
    graceUntil: string
    adoptionPercent: number | null
    adoptionFrom: string | null
  }[]
  pending_key_id: string | null
  devices: number
  adopted: number
}

/**
 * Installations with keys, by code: the one asked for, or all whose keys are changing or in trouble.
 * @param page.soon keys that expire by then are in trouble
 */
export async function selectRotations(
  queryable: Queryable,
  page: {
    installation: string | undefined
    now: Date
    soon: Date
    after: string | undefined
    limit: number
  },
): Promise<RotationRow[]> {
  const { rows } = await queryable.query<Columns>(
    `select installation.id, installation.code, current_key.key_id, current_key.version, current_key.created_at,
       current_key.expires_at, pending.key_id as pending_key_id, coalesce(former.keys, '[]') as former,
       active.devices::float8 as devices, active.adopted::float8 as adopted
     from cleverctl.installation
     left join cleverctl.api_key as current_key
       on current_key.installation_id = installation.id and current_key.state = 'CURRENT'
     left join cleverctl.api_key as pending
       on pending.installation_id = installation.id and pending.state = 'PENDING'
     left join lateral (
       select jsonb_agg(jsonb_build_object('keyId', key.key_id, 'version', key.version,
         'graceUntil', key.grace_until, 'adoptionPercent', key.adoption_percent,
         'adoptionFrom', key.adoption_from) order by key.version desc) as keys
       from cleverctl.api_key as key
       where key.installation_id = installation.id and key.state = 'GRACE' and key.grace_until > $2
     ) as former on true
     cross join lateral (
       select count(*) as devices, count(active.adopted_at) as adopted
       from cleverctl.active_device as active where active.installation_id = installation.id
     ) as active
     where installation.code > $4 and case
       when $1::text is not null then installation.code = $1
       else installation.retired_at is null
         and exists (select from cleverctl.api_key where api_key.installation_id = installation.id)
         and (former.keys is not null or pending.id is not null or current_key.expires_at <= $3
           or (active.devices > 0 and current_key.id is null)
           or (current_key.version > 1 and active.adopted < active.devices))
       end
     order by installation.code limit $5`,
    [page.installation ?? null, page.now, page.soon, page.after ?? '', page.limit],
  )
  return rows.map(toRotation)
}

/** Devices of these installations that were not seen with the current key, those seen last first. */
export async function selectStragglers(
  queryable: Queryable,
  installationIds: readonly string[],
): Promise<StragglerRow[]> {
  const { rows } = await queryable.query<StragglerRow>(
    `select active.installation_id as "installationId", active.serial,
       latest.last_at as "lastSeenAt", key.key_id as "lastKeyId"
     from cleverctl.active_device as active
     left join lateral (
       select sighting.last_at, sighting.api_key_id from cleverctl.device_sighting as sighting
       where sighting.device_id = active.device_id order by sighting.last_at desc limit 1
     ) as latest on true
     left join cleverctl.api_key as key on key.id = latest.api_key_id
     where active.installation_id = any($1::bigint[]) and active.adopted_at is null
     order by latest.last_at desc nulls last, active.serial`,
    [installationIds],
  )
  return rows
}

/** Devices of an installation that were never seen with a key that opens the gate at `now`. */
export async function selectDarkDevices(
  queryable: Queryable,
  asked: { installationId: string; now: Date },
): Promise<StragglerRow[]> {
  const { rows } = await queryable.query<StragglerRow>(
    `select active.installation_id as "installationId", active.serial,
       latest.last_at as "lastSeenAt", key.key_id as "lastKeyId"
     from cleverctl.active_device as active
     left join lateral (
       select sighting.last_at, sighting.api_key_id from cleverctl.device_sighting as sighting
       where sighting.device_id = active.device_id order by sighting.last_at desc limit 1
     ) as latest on true
     left join cleverctl.api_key as key on key.id = latest.api_key_id
     where active.installation_id = $1 and not exists (
       select from cleverctl.device_sighting as sighting
       join cleverctl.api_key as alive on alive.id = sighting.api_key_id
       where sighting.device_id = active.device_id and alive.installation_id = $1
         and (alive.state = 'CURRENT' or (alive.state = 'GRACE' and alive.grace_until > $2))
         and (alive.expires_at is null or alive.expires_at > $2))
     order by latest.last_at desc nulls last, active.serial`,
    [asked.installationId, asked.now],
  )
  return rows
}

function toRotation(row: Columns): RotationRow {
  return {
    installationId: row.id,
    installation: row.code,
    current:
      row.key_id === null
        ? null
        : {
            keyId: row.key_id,
            version: row.version,
            createdAt: row.created_at,
            expiresAt: row.expires_at,
          },
    former: row.former.map((key) => ({
      ...key,
      graceUntil: new Date(key.graceUntil),
      adoptionFrom: key.adoptionFrom === null ? null : new Date(key.adoptionFrom),
    })),
    pendingKeyId: row.pending_key_id,
    devices: row.devices,
    adopted: row.adopted,
  }
}
