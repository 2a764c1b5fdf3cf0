import { isSerial } from '../device/types.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { closePlacement, lockOpenPlacement, selectInstallerById } from './store.js'
import type { PlacementRefusal } from './types.js'

/** What became of a removal that was asked for. */
export type RemoveOutcome =
  | { outcome: 'removed'; placementId: string; installation: string }
  /** The device stands nowhere. */
  | { outcome: 'unchanged' }
  | { outcome: 'refused'; code: PlacementRefusal }

/**
 * Records that a device was taken down, as an installer's app reports it. Only an installer assigned
 * to the installation where it stands may; a device that stands nowhere is left so. Needs the rights
 * of a gate only.
 * @param asked.installer the installer's id, as the app's token names it
 */
export async function removePlacement(
  workspace: Workspace,
  asked: { installer: string; serial: string },
): Promise<RemoveOutcome> {
  const { database, actor, clock } = workspace
  const { installer: installerId, serial } = asked
  if (!isSerial(serial)) return { outcome: 'unchanged' }
  return database.transaction(async (transaction) => {
    const installer = await selectInstallerById(transaction, installerId)
    if (!installer) return { outcome: 'refused', code: 'installer-unknown' }
    if (installer.disabledAt) return { outcome: 'refused', code: 'installer-disabled' }
    const placement = await lockOpenPlacement(transaction, { installerId, serial })
    if (!placement) return { outcome: 'unchanged' }
    if (!placement.isAssigned) return { outcome: 'refused', code: 'not-assigned' }
    await closePlacement(transaction, {
      id: placement.id,
      at: clock.now(),
      removedBy: `installer:${installer.email}`,
    })
    const { installation } = placement
    await appendTrail(transaction, actor, {
      action: 'placement.remove',
      subject: serial,
      details: { installation, installer: installer.email },
    })
    return { outcome: 'removed', placementId: placement.id, installation }
  })
}
