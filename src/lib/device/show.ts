import type { Workspace } from '../workspace.js'
import { unknownDevices } from './find.js'
import { selectDeviceDetails, selectPlacements, type PlacementDetails } from './store.js'
import { parseSerial, type DeviceState } from './types.js'

/** A place where a device stands or stood. */
export interface ShownPlacement {
  installation: string
  /** E-mail address of the installer. */
  installer: string
  installedAt: string
  removedAt: string | null
  /** `installer:ADDRESS` or `staff:USER`. */
  removedBy: string | null
  /** As the app reported it; null where it reported none. */
  position: unknown
}

/** Everything about one device that is no secret. */
export interface ShownDevice {
  serial: string
  model: string
  batch: string
  manufacturedAt: string
  registeredAt: string
  state: DeviceState
  /** Where it stands; null while it stands nowhere. */
  installation: string | null
  /** Until when the former secret goes on working; null unless one does. */
  formerSecretUntil: string | null
  revokedAt: string | null
  revokeReason: string | null
  lastReadingAt: string | null
  /** The latest first. */
  placements: ShownPlacement[]
}

/**
 * One device.
 * @throws NotFoundError for an unknown serial
 */
export async function getDevice(
  workspace: Workspace,
  asked: { serial: string },
): Promise<ShownDevice> {
  const { database, clock } = workspace
  const serial = parseSerial(asked.serial)
  const device = await selectDeviceDetails(database, serial)
  if (!device) throw await unknownDevices(database, [serial])
  const placements = await selectPlacements(database, device.id)
  const open = placements.find(({ removedAt }) => removedAt === null)
  const { previousSecretUntil: formerUntil, revokedAt } = device
  return {
    serial,
    model: device.model,
    batch: device.batch,
    manufacturedAt: device.manufacturedAt.toISOString(),
    registeredAt: device.registeredAt.toISOString(),
    state: stateOf(revokedAt !== null, placements.length > 0, open !== undefined),
    installation: open?.installation ?? null,
    formerSecretUntil: formerUntil && formerUntil > clock.now() ? formerUntil.toISOString() : null,
    revokedAt: revokedAt?.toISOString() ?? null,
    revokeReason: device.revokeReason,
    lastReadingAt: device.lastReadingAt?.toISOString() ?? null,
    placements: placements.map(showPlacement),
  }
}

function stateOf(isRevoked: boolean, hasStood: boolean, stands: boolean): DeviceState {
  if (isRevoked) return 'revoked'
  if (stands) return 'installed'
  return hasStood ? 'removed' : 'manufactured'
}

function showPlacement(placement: PlacementDetails): ShownPlacement {
  const { installation, installer, installedAt, removedAt, removedBy, position } = placement
  return {
    installation,
    installer,
    installedAt: installedAt.toISOString(),
    removedAt: removedAt?.toISOString() ?? null,
    removedBy,
    position,
  }
}
