import type { Database } from '../../database/database.js'
import { selectCounted } from './store.js'
import { before, type AuditScope, type Counted } from './types.js'

/** A device that stands nowhere and never stood anywhere. */
export interface ShelvedRow {
  serial: string
  model: string
  batch: string
  manufacturedAt: Date
}

/** An API key that has been the current one for long. */
export interface OldKeyRow {
  installation: string
  keyId: string
  version: number
  createdAt: Date
  lastUsedAt: Date | null
}

/** A device that has had its secret for long. */
export interface OldSecretRow {
  serial: string
  /** Where it stands; null while it stands nowhere. */
  installation: string | null
  madeAt: Date
}

/** Devices that were made so long ago and never installed. */
export async function selectShelved(
  database: Database,
  scope: AuditScope,
): Promise<Counted<ShelvedRow>> {
  const { now, ages, batch, limit } = scope
  return selectCounted(database, {
    select: `select device.serial, device.model, device.batch, device.manufactured_at as "manufacturedAt"
      from cleverctl.device
      where device.revoked_at is null and device.manufactured_at < $1
        and not exists (select from cleverctl.placement where placement.device_id = device.id)
        and ($2::text is null or device.batch = $2)`,
    order: '"manufacturedAt", serial',
    values: [before(now, ages.shelfAgeMs), batch],
    limit,
  })
}

/** Current keys of installations in use that were made so long ago. */
export async function selectOldKeys(
  database: Database,
  scope: AuditScope,
): Promise<Counted<OldKeyRow>> {
  const { now, ages, installation, limit } = scope
  return selectCounted(database, {
    select: `select installation.code as installation, key.key_id as "keyId", key.version,
        key.created_at as "createdAt", key.last_used_at as "lastUsedAt"
      from cleverctl.api_key as key
      join cleverctl.installation
        on installation.id = key.installation_id and installation.retired_at is null
      where key.state = 'CURRENT' and key.created_at < $1
        and (key.expires_at is null or key.expires_at > $2)
        and ($3::text is null or installation.code = $3)`,
    order: '"createdAt", installation',
    values: [before(now, ages.keyAgeMs), now, installation],
    limit,
  })
}

/** Devices that are not revoked and whose secret was made so long ago. */
export async function selectOldSecrets(
  database: Database,
  scope: AuditScope,
): Promise<Counted<OldSecretRow>> {
  const { now, ages, installation, batch, limit } = scope
  return selectCounted(database, {
    select: `select device.serial, installation.code as installation, secret.made_at as "madeAt"
      from cleverctl.device
      cross join lateral (
        select coalesce(device.secret_rotated_at, device.registered_at) as made_at
      ) as secret
      left join cleverctl.placement
        on placement.device_id = device.id and upper_inf(placement.during)
      left join cleverctl.installation on installation.id = placement.installation_id
      where device.revoked_at is null and secret.made_at < $1
        and ($2::text is null or installation.code = $2) and ($3::text is null or device.batch = $3)`,
    order: '"madeAt", serial',
    values: [before(now, ages.secretAgeMs), installation, batch],
    limit,
  })
}
