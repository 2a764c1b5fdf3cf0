import { SqlState, isSqlState } from '../database/sqlstate.js'
import { isSerial } from '../device/types.js'
import { faultOfCode } from '../installation/types.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { decidePlacement } from './decide.js'
import { insertPlacement, selectPlacementFacts } from './store.js'
import {
  type PlacementConflict,
  type PlacementRefusal,
  type Position,
  readPosition,
} from './types.js'

/** What became of a placement that was asked for. */
export type PlaceOutcome =
  | { outcome: 'created' | 'unchanged'; placementId: string; at: Date }
  | { outcome: 'refused'; code: PlacementRefusal }
  | { outcome: 'conflict'; code: PlacementConflict; installation: string }

/** Another placement of the device covers the same time, or two inserts waited for each other there. */
const lostARace = (error: unknown): boolean =>
  isSqlState(error, SqlState.EXCLUSION_VIOLATION) || isSqlState(error, SqlState.DEADLOCK_DETECTED)

/** How often a race is decided anew before it counts as a fault. */
const TRIES = 3

/**
 * Records that a device stands at an installation, as an installer's app reports it. The same report
 * again changes nothing. Needs the rights of a gate only.
 *
 * A right withdrawn at the very moment of the report may still let it in; every arrival of data is
 * judged by the rows as they are then, so nothing is won by it.
 * @param asked.installer the installer's id, as the app's token names it
 * @param asked.at since when; now if absent
 */
export async function placeDevice(
  workspace: Workspace,
  asked: {
    installer: string
    serial: string
    installation: string
    at?: Date | undefined
    position?: Position | undefined
  },
): Promise<PlaceOutcome> {
  const position = readPosition(asked.position)
  if (asked.position !== undefined && position === undefined) {
    return { outcome: 'refused', code: 'position-invalid' }
  }
  // What has no form of a name names nothing, and might be a secret in the wrong field: the server's
  // log is not to see it.
  if (faultOfCode(asked.installation)) return { outcome: 'refused', code: 'installation-unknown' }
  if (!isSerial(asked.serial)) return { outcome: 'refused', code: 'device-unknown' }
  for (let tried = 1; ; tried += 1) {
    try {
      return await tryToPlace(workspace, { ...asked, position })
    } catch (error) {
      // The other one has committed: deciding anew sees its row.
      if (!lostARace(error) || tried === TRIES) throw error
    }
  }
}

async function tryToPlace(
  workspace: Workspace,
  asked: {
    installer: string
    serial: string
    installation: string
    at?: Date | undefined
    position: Position | undefined
  },
): Promise<PlaceOutcome> {
  const { database, actor, clock } = workspace
  const { serial, installation } = asked
  return database.transaction(async (transaction) => {
    const facts = await selectPlacementFacts(transaction, {
      installerId: asked.installer,
      installation,
      serial,
    })
    const now = clock.now()
    const decided = decidePlacement(facts, { installation, at: asked.at, now })
    switch (decided.decision) {
      case 'refused':
        return { outcome: 'refused', code: decided.code }
      case 'conflict':
        return { outcome: 'conflict', code: decided.code, installation: decided.installation }
      case 'unchanged':
        return { outcome: 'unchanged', placementId: decided.placementId, at: decided.at }
      case 'place': {
        const { deviceId, installationId, at } = decided
        const placementId = await insertPlacement(transaction, {
          deviceId,
          installationId,
          installerId: asked.installer,
          at,
          position: asked.position,
          recordedAt: now,
        })
        await appendTrail(transaction, actor, {
          action: 'placement.create',
          subject: serial,
          details: { installation, installer: facts.installer?.email, at: at.toISOString() },
        })
        return { outcome: 'created', placementId, at }
      }
    }
  })
}
