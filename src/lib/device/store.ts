import type { Queryable, Transaction } from '../database/database.js'

/** A device's row, without digests. */
export interface DeviceDetails {
  id: string
  serial: string
  model: string
  batch: string
  manufacturedAt: Date
  registeredAt: Date
  previousSecretUntil: Date | null
  revokedAt: Date | null
  revokeReason: string | null
  /** When the latest reading was taken. */
  lastReadingAt: Date | null
}

/** One device. */
export async function selectDeviceDetails(
  database: Queryable,
  serial: string,
): Promise<DeviceDetails | undefined> {
  const { rows } = await database.query<DeviceDetails>(
    `select device.id, device.serial, device.model, device.batch,
       device.manufactured_at as "manufacturedAt", device.registered_at as "registeredAt",
       device.previous_secret_until as "previousSecretUntil", device.revoked_at as "revokedAt",
       device.revoke_reason as "revokeReason", (
         select reading.at from cleverctl.reading where reading.device_id = device.id
         order by reading.at desc limit 1
       ) as "lastReadingAt"
     from cleverctl.device where device.serial = $1`,
    [serial],
  )
  return rows[0]
}

/** A place where a device stands or stood. */
export interface PlacementDetails {
  installation: string
  /** E-mail address of the installer. */
  installer: string
  installedAt: Date
  removedAt: Date | null
  removedBy: string | null
  position: unknown
}

/** The places of a device, the latest first. */
export async function selectPlacements(
  database: Queryable,
  deviceId: string,
): Promise<PlacementDetails[]> {
  const { rows } = await database.query<PlacementDetails>(
    `select installation.code as installation, installer.email as installer,
       lower(placement.during) as "installedAt", upper(placement.during) as "removedAt",
       placement.removed_by as "removedBy", placement.position
     from cleverctl.placement
     join cleverctl.installation on installation.id = placement.installation_id
     join cleverctl.installer on installer.id = placement.installer_id
     where placement.device_id = $1 order by lower(placement.during) desc`,
    [deviceId],
  )
  return rows
}

/** The first of these serials that is registered. */
export async function selectAnySerial(
  database: Queryable,
  serials: readonly string[],
): Promise<string | undefined> {
  const { rows } = await database.query<{ serial: string }>(
    'select serial from cleverctl.device where serial = any($1::text[]) order by serial limit 1',
    [serials],
  )
  return rows[0]?.serial
}

/** What a change of a device is decided by. */
export interface LockedDevice {
  id: string
  serial: string
  secretSha256: Buffer
  previousSecretUntil: Date | null
  revokedAt: Date | null
}

/** Devices by serial, locked until the transaction ends. */
export async function lockDevices(
  transaction: Transaction,
  serials: readonly string[],
): Promise<LockedDevice[]> {
  // Locked in one order, so that two commands over the same devices cannot block each other for good.
  const { rows } = await transaction.query<LockedDevice>(
    `select id, serial, secret_sha256 as "secretSha256",
       previous_secret_until as "previousSecretUntil", revoked_at as "revokedAt"
     from cleverctl.device where serial = any($1::text[]) order by serial for update`,
    [serials],
  )
  return rows
}

/** Revokes devices: raising the epoch ends every token they hold. */
export async function markRevoked(
  transaction: Transaction,
  revocation: { ids: readonly string[]; at: Date; reason: string },
): Promise<void> {
  await transaction.query(
    `update cleverctl.device
     set revoked_at = $2, revoke_reason = $3, token_epoch = token_epoch + 1
     where id = any($1::bigint[])`,
    [revocation.ids, revocation.at, revocation.reason],
  )
}

/**
 * Gives a device another secret. The former one goes on working until `formerUntil`; where there is
 * no such moment it ends at once, and with it every token that was got by it.
 */
export async function replaceSecret(
  transaction: Transaction,
  device: { id: string; secretSha256: Buffer; at: Date; formerUntil: Date | undefined },
): Promise<void> {
  await transaction.query(
    `update cleverctl.device
     set secret_sha256 = $2, secret_rotated_at = $4,
       previous_secret_sha256 = case when $3::timestamptz is not null then secret_sha256 end,
       previous_secret_until = $3,
       token_epoch = token_epoch + case when $3::timestamptz is null then 1 else 0 end
     where id = $1`,
    [device.id, device.secretSha256, device.formerUntil ?? null, device.at],
  )
}

/** The open placement of a device, locked until the transaction ends. */
export async function lockOpenPlacement(
  transaction: Transaction,
  deviceId: string,
): Promise<{ id: string; installation: string } | undefined> {
  const { rows } = await transaction.query<{ id: string; installation: string }>(
    `select placement.id, installation.code as installation
     from cleverctl.placement
     join cleverctl.installation on installation.id = placement.installation_id
     where placement.device_id = $1 and upper_inf(placement.during)
     for update of placement`,
    [deviceId],
  )
  return rows[0]
}
