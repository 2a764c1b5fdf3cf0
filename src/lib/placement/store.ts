import type { Queryable, Transaction } from '../database/database.js'
import type { PlacementFacts } from './decide.js'
import type { Position } from './types.js'

interface FactsRow {
  email: string | null
  disabledAt: Date | null
  installationId: string | null
  retiredAt: Date | null
  isAssigned: boolean
  deviceId: string | null
  manufacturedAt: Date | null
  revokedAt: Date | null
  latestId: string | null
  latestInstallation: string | null
  latestFrom: Date | null
  latestUntil: Date | null
}

/** Everything the decision about a placement needs, seen at one moment. */
export async function selectPlacementFacts(
  database: Queryable,
  asked: { installerId: string; installation: string; serial: string },
): Promise<PlacementFacts> {
  // A range's end is rounded up to the millisecond that a Date can hold, so that a placement which
  // starts there does not touch the one before.
  const { rows } = await database.query<FactsRow>(
    `select installer.email, installer.disabled_at as "disabledAt",
       installation.id as "installationId", installation.retired_at as "retiredAt",
       exists (
         select from cleverctl.installer_assignment as assignment
         where assignment.installer_id = installer.id and assignment.installation_id = installation.id
       ) as "isAssigned",
       device.id as "deviceId", device.manufactured_at as "manufacturedAt",
       device.revoked_at as "revokedAt",
       latest.id as "latestId", latest_installation.code as "latestInstallation",
       lower(latest.during) as "latestFrom",
       date_trunc('milliseconds', upper(latest.during) + interval '999 microseconds') as "latestUntil"
     from (select $1::bigint as installer_id, $2::text as installation, $3::text as serial) as asked
     left join cleverctl.installer on installer.id = asked.installer_id
     left join cleverctl.installation on installation.code = asked.installation
     left join cleverctl.device on device.serial = asked.serial
     left join lateral (
       select placement.id, placement.installation_id, placement.during from cleverctl.placement
       where placement.device_id = device.id order by lower(placement.during) desc limit 1
     ) as latest on true
     left join cleverctl.installation as latest_installation on latest_installation.id = latest.installation_id`,
    [asked.installerId, asked.installation, asked.serial],
  )
  const row = rows[0]
  if (!row) throw new Error('a select without a condition gave no row')
  const { email, disabledAt, installationId, retiredAt, isAssigned } = row
  const { deviceId, manufacturedAt, revokedAt, latestId, latestInstallation, latestFrom } = row
  return {
    installer: email === null ? undefined : { email, disabledAt },
    installation: installationId === null ? undefined : { id: installationId, retiredAt },
    isAssigned,
    device: deviceId && manufacturedAt ? { id: deviceId, manufacturedAt, revokedAt } : undefined,
    latest:
      latestId && latestInstallation && latestFrom
        ? {
            id: latestId,
            installation: latestInstallation,
            from: latestFrom,
            until: row.latestUntil ?? undefined,
          }
        : undefined,
  }
}

/** Places a device from a moment on, without end. @returns the placement's id */
export async function insertPlacement(
  transaction: Transaction,
  placement: {
    deviceId: string
    installationId: string
    installerId: string
    at: Date
    position: Position | undefined
    recordedAt: Date
  },
): Promise<string> {
  const { rows } = await transaction.query<{ id: string }>(
    `insert into cleverctl.placement
       (device_id, installation_id, installer_id, during, position, recorded_at)
     values ($1, $2, $3, tstzrange($4, null, '[)'), $5, $6) returning id`,
    [
      placement.deviceId,
      placement.installationId,
      placement.installerId,
      placement.at,
      placement.position === undefined ? null : JSON.stringify(placement.position),
      placement.recordedAt,
    ],
  )
  const [row] = rows
  if (!row) throw new Error('an insert gave no row')
  return row.id
}

/** The open placement of a device, locked until the transaction ends, and whether the installer may end it. */
export async function lockOpenPlacement(
  transaction: Transaction,
  asked: { installerId: string; serial: string },
): Promise<{ id: string; installation: string; isAssigned: boolean } | undefined> {
  const { rows } = await transaction.query<{
    id: string
    installation: string
    isAssigned: boolean
  }>(
    `select placement.id, installation.code as installation,
       exists (
         select from cleverctl.installer_assignment as assignment
         where assignment.installer_id = $1 and assignment.installation_id = placement.installation_id
       ) as "isAssigned"
     from cleverctl.device
     join cleverctl.placement on placement.device_id = device.id and upper_inf(placement.during)
     join cleverctl.installation on installation.id = placement.installation_id
     where device.serial = $2
     for update of placement`,
    [asked.installerId, asked.serial],
  )
  return rows[0]
}

/** The installer by id. */
export async function selectInstallerById(
  database: Queryable,
  installerId: string,
): Promise<{ email: string; disabledAt: Date | null } | undefined> {
  const { rows } = await database.query<{ email: string; disabledAt: Date | null }>(
    'select email, disabled_at as "disabledAt" from cleverctl.installer where id = $1',
    [installerId],
  )
  return rows[0]
}

/** Ends a placement. One that starts at this very moment, or later, lasts a millisecond: no range is empty. */
export async function closePlacement(
  transaction: Transaction,
  placement: { id: string; at: Date; removedBy: string },
): Promise<void> {
  await transaction.query(
    `update cleverctl.placement
     set during = tstzrange(lower(during), greatest($2::timestamptz, lower(during) + interval '1 millisecond'), '[)'),
       removed_by = $3
     where id = $1`,
    [placement.id, placement.at, placement.removedBy],
  )
}
