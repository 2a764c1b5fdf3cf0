import { closePlacement } from '../placement/store.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { unknownDevices } from './find.js'
import { lockDevices, lockOpenPlacement } from './store.js'
import { parseSerial } from './types.js'

/** What became of a device that was to be removed from its installation. */
export interface RemovedDevice {
  serial: string
  outcome: 'removed' | 'unchanged'
  /** Where it stood; null where it stood nowhere. */
  installation: string | null
}

/**
 * Records that a device stands at its installation no longer, on a staff member's word: what an
 * installer does with the app, for devices that are gone.
 * @throws NotFoundError for an unknown serial
 */
export async function removeDevice(
  workspace: Workspace,
  asked: { serial: string },
): Promise<RemovedDevice> {
  const { database, actor, clock } = workspace
  const serial = parseSerial(asked.serial)
  return database.transaction(async (transaction) => {
    const [device] = await lockDevices(transaction, [serial])
    if (!device) throw await unknownDevices(transaction, [serial])
    const placement = await lockOpenPlacement(transaction, device.id)
    if (!placement) return { serial, outcome: 'unchanged', installation: null }
    const { id, installation } = placement
    await closePlacement(transaction, { id, at: clock.now(), removedBy: `staff:${actor.osUser}` })
    await appendTrail(transaction, actor, {
      action: 'device.remove',
      subject: serial,
      details: { installation },
    })
    return { serial, outcome: 'removed', installation }
  })
}
