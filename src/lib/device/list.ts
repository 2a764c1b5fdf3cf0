import { UsageError } from '../errors.js'
import { unknownInstallation } from '../installation/types.js'
import type { Workspace } from '../workspace.js'
import { hasInstallation, selectDevicePage } from './list-store.js'
import { parseSerial, type DeviceState } from './types.js'

/** A device as a list shows it. */
export interface ListedDevice {
  serial: string
  model: string
  batch: string
  manufacturedAt: string
  state: DeviceState
  /** Where it stands; null while it stands nowhere. */
  installation: string | null
  installedAt: string | null
  revokedAt: string | null
}

/** A page of devices. */
export interface DevicePage {
  devices: ListedDevice[]
  /** Where the next page begins; absent on the last one. */
  nextCursor?: string
}

/** Which devices to list; an absent condition holds for all. */
export interface DeviceFilter {
  /** Code of the installation where they stand now. */
  installation?: string | undefined
  batch?: string | undefined
  model?: string | undefined
  state?: DeviceState | undefined
  serialPrefix?: string | undefined
}

/**
 * Devices by serial, a page at a time.
 * @throws NotFoundError for an unknown installation, UsageError for a bad cursor
 */
export async function listDevices(
  workspace: Workspace,
  asked: DeviceFilter & { limit: number; cursor?: string | undefined },
): Promise<DevicePage> {
  const { database } = workspace
  const { installation, batch, model, state, serialPrefix, limit } = asked
  const after = asked.cursor === undefined ? undefined : parseSerial(asked.cursor)
  if (serialPrefix !== undefined && !/^[A-Za-z0-9._-]+$/.test(serialPrefix))
    throw new UsageError('bad-serial', 'no serial begins like that', {
      suggestions: ['cleverctl device list --serial-prefix CDX-0001'],
    })
  const page = { installation, batch, model, state, serialPrefix, after, limit: limit + 1 }
  const rows = await selectDevicePage(database, page)
  if (
    rows.length === 0 &&
    installation !== undefined &&
    !(await hasInstallation(database, installation))
  )
    throw unknownInstallation(installation)
  const devices = rows.slice(0, limit).map((row) => ({
    serial: row.serial,
    model: row.model,
    batch: row.batch,
    manufacturedAt: row.manufacturedAt.toISOString(),
    state: row.state,
    installation: row.installation,
    installedAt: row.installedAt?.toISOString() ?? null,
    revokedAt: row.revokedAt?.toISOString() ?? null,
  }))
  const last = rows.length > limit ? devices.at(-1) : undefined
  return { devices, ...(last && { nextCursor: last.serial }) }
}
