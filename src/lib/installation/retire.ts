import { ConflictError } from '../errors.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { closePlacements, countDevices, lockInstallation, markRetired } from './store.js'
import { unknownInstallation } from './types.js'

/** What became of an installation that was to be retired. */
export interface RetiredInstallation {
  code: string
  outcome: 'retired' | 'unchanged'
  /** Devices that stood there and were removed with it. */
  devicesRemoved: number
  retiredAt: string
}

/**
 * Ends an installation for good: its keys and tokens open nothing any more, at every gate within a
 * second, and its code is never given again.
 * @param asked.withDevices removes the devices that still stand there; without it they are a reason not to retire
 * @throws NotFoundError for an unknown code
 * @throws ConflictError while devices stand there
 */
export async function retireInstallation(
  workspace: Workspace,
  asked: { code: string; withDevices: boolean },
): Promise<RetiredInstallation> {
  const { database, actor, clock } = workspace
  const { code } = asked
  return database.transaction(async (transaction) => {
    const installation = await lockInstallation(transaction, code)
    if (!installation) throw unknownInstallation(code)
    const { id, retiredAt } = installation
    if (retiredAt)
      return { code, outcome: 'unchanged', devicesRemoved: 0, retiredAt: retiredAt.toISOString() }
    const devices = await countDevices(transaction, id)
    if (devices > 0 && !asked.withDevices) throw devicesStandThere(code, devices)
    const at = clock.now()
    await closePlacements(transaction, { id, at, removedBy: `staff:${actor.osUser}` })
    await markRetired(transaction, id, at)
    await appendTrail(transaction, actor, {
      action: 'installation.retire',
      subject: code,
      details: { devicesRemoved: devices },
    })
    return { code, outcome: 'retired', devicesRemoved: devices, retiredAt: at.toISOString() }
  })
}

function devicesStandThere(code: string, devices: number): ConflictError {
  const count = devices === 1 ? '1 device stands' : `${devices} devices stand`
  return new ConflictError('devices-stand-there', `${count} at installation ${code}`, {
    suggestions: [
      `cleverctl device list --installation ${code}`,
      `cleverctl installation retire ${code} --force`,
    ],
  })
}
