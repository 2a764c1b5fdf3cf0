import { CLOCK_SKEW_MS, type PlacementConflict, type PlacementRefusal } from './types.js'

/** What the database knows about a placement that is asked for. */
export interface PlacementFacts {
  installer: { email: string; disabledAt: Date | null } | undefined
  installation: { id: string; retiredAt: Date | null } | undefined
  isAssigned: boolean
  device: { id: string; manufacturedAt: Date; revokedAt: Date | null } | undefined
  /** The device's last placement; `until` is absent while it stands there. */
  latest: { id: string; installation: string; from: Date; until?: Date | undefined } | undefined
}

/** What to do about a placement that is asked for. */
export type PlacementDecision =
  | { decision: 'place'; deviceId: string; installationId: string; at: Date }
  | { decision: 'unchanged'; placementId: string; at: Date }
  | { decision: 'refused'; code: PlacementRefusal }
  | { decision: 'conflict'; code: PlacementConflict; installation: string }

/**
 * The rules by which a device may be placed, in one pure function: who may, what may be placed,
 * where, and since when. A phone's clock is believed within a minute: a time that far in the future
 * is now, one that far before the device left its last place is the moment it left.
 */
export function decidePlacement(
  facts: PlacementFacts,
  asked: { installation: string; at: Date | undefined; now: Date },
): PlacementDecision {
  const refused = (code: PlacementRefusal): PlacementDecision => ({ decision: 'refused', code })
  const { installer, installation, device, latest } = facts
  if (!installer) return refused('installer-unknown')
  if (installer.disabledAt) return refused('installer-disabled')
  if (!installation) return refused('installation-unknown')
  if (!facts.isAssigned) return refused('not-assigned')
  if (installation.retiredAt) return refused('installation-retired')
  if (!device) return refused('device-unknown')
  if (device.revokedAt) return refused('device-revoked')
  if (latest && !latest.until) {
    const { id, from } = latest
    return latest.installation === asked.installation
      ? { decision: 'unchanged', placementId: id, at: from }
      : { decision: 'conflict', code: 'stands-elsewhere', installation: latest.installation }
  }
  const now = asked.now.getTime()
  let at = asked.at?.getTime() ?? now
  if (at > now + CLOCK_SKEW_MS) return refused('at-in-future')
  at = Math.min(at, now)
  if (at < device.manufacturedAt.getTime()) return refused('at-before-manufacture')
  const leftAt = latest?.until?.getTime() ?? at
  if (latest && at < leftAt - CLOCK_SKEW_MS) {
    return { decision: 'conflict', code: 'stood-elsewhere', installation: latest.installation }
  }
  const start = new Date(Math.max(at, leftAt))
  return { decision: 'place', deviceId: device.id, installationId: installation.id, at: start }
}
