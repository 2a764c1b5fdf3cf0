import type { Queryable, Transaction } from '../database/database.js'

/** What decides whether a device gets a token, and what the token says. */
export interface DeviceFacts {
  serial: string
  deviceEpoch: number
  revokedAt: Date | null
  /** Where the device stands now; null when it is installed nowhere. */
  installation: string | null
  installationEpoch: number | null
  installationRetiredAt: Date | null
}

/** A device and the installation where it stands; undefined when it was never manufactured. */
export async function selectDeviceFacts(
  queryable: Queryable,
  serial: string,
): Promise<DeviceFacts | undefined> {
  const { rows } = await queryable.query<DeviceFacts>(
    `select device.serial, device.token_epoch as "deviceEpoch", device.revoked_at as "revokedAt",
       installation.code as installation, installation.token_epoch as "installationEpoch",
       installation.retired_at as "installationRetiredAt"
     from cleverctl.device
     left join cleverctl.placement
       on placement.device_id = device.id and upper_inf(placement.during)
     left join cleverctl.installation on installation.id = placement.installation_id
     where device.serial = $1`,
    [serial],
  )
  return rows[0]
}

/** The epochs that tokens of this device at this installation must carry now; null for no such row. */
export async function selectEpochs(
  queryable: Queryable,
  asked: { installation: string; serial: string },
): Promise<{ installationEpoch: number | null; deviceEpoch: number | null }> {
  const { rows } = await queryable.query<{
    installationEpoch: number | null
    deviceEpoch: number | null
  }>(
    `select
       (select token_epoch from cleverctl.installation where code = $1) as "installationEpoch",
       (select token_epoch from cleverctl.device where serial = $2) as "deviceEpoch"`,
    [asked.installation, asked.serial],
  )
  return rows[0] ?? { installationEpoch: null, deviceEpoch: null }
}

/** The epoch that tokens of this installer must carry now; null for no such installer. */
export async function selectInstallerEpoch(
  queryable: Queryable,
  installerId: string,
): Promise<number | null> {
  const { rows } = await queryable.query<{ epoch: number }>(
    'select token_epoch as epoch from cleverctl.installer where id::text = $1',
    [installerId],
  )
  return rows[0]?.epoch ?? null
}

/** Ends every token of an installation; undefined when there is none with this code. */
export async function raiseInstallationEpoch(
  transaction: Transaction,
  code: string,
): Promise<number | undefined> {
  const { rows } = await transaction.query<{ epoch: number }>(
    `update cleverctl.installation set token_epoch = token_epoch + 1 where code = $1
     returning token_epoch as epoch`,
    [code],
  )
  return rows[0]?.epoch
}

/** Ends every token of a device; undefined when none has this serial. */
export async function raiseDeviceEpoch(
  transaction: Transaction,
  serial: string,
): Promise<number | undefined> {
  const { rows } = await transaction.query<{ epoch: number }>(
    `update cleverctl.device set token_epoch = token_epoch + 1 where serial = $1
     returning token_epoch as epoch`,
    [serial],
  )
  return rows[0]?.epoch
}
