import { PartialError, UsageError } from '../errors.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { unknownDevices } from './find.js'
import { lockDevices, markRevoked } from './store.js'
import { parseSerial } from './types.js'

/** Serials by what became of them. */
export interface RevokedDevices {
  revoked: string[]
  /** Revoked before. */
  unchanged: string[]
  notFound: string[]
}

const REASON_MAX = 200

/**
 * Revokes devices for good: every gate refuses their data within a second, and their tokens end.
 * @param asked.reason kept with the device and in the trail
 * @throws NotFoundError when none of the serials is registered
 * @throws PartialError when some are not; it carries the result
 */
export async function revokeDevices(
  workspace: Workspace,
  asked: { serials: readonly string[]; reason: string },
): Promise<RevokedDevices> {
  const { database, actor, clock } = workspace
  const serials = [...new Set(asked.serials.map(parseSerial))]
  const reason = parseReason(asked.reason)
  const result = await database.transaction(async (transaction) => {
    const devices = await lockDevices(transaction, serials)
    const found = new Set(devices.map(({ serial }) => serial))
    const affected = devices.filter(({ revokedAt }) => !revokedAt)
    const revoked = affected.map(({ serial }) => serial)
    if (affected.length > 0) {
      const ids = affected.map(({ id }) => id)
      await markRevoked(transaction, { ids, at: clock.now(), reason })
      for (const subject of revoked) {
        await appendTrail(transaction, actor, {
          action: 'device.revoke',
          subject,
          details: { reason },
        })
      }
    }
    const unchanged = devices.filter(({ revokedAt }) => revokedAt).map(({ serial }) => serial)
    return { revoked, unchanged, notFound: serials.filter((serial) => !found.has(serial)) }
  })
  if (result.notFound.length === 0) return result
  const unknown = await unknownDevices(database, result.notFound)
  if (result.notFound.length === serials.length) throw unknown
  const { suggestions } = unknown
  throw new PartialError('device-not-found', unknown.message, { result, suggestions })
}

function parseReason(text: string): string {
  const reason = text.trim()
  if (reason !== '' && reason.length <= REASON_MAX && !/[\p{Cc}\p{Cs}]/u.test(reason)) return reason
  throw new UsageError('bad-reason', `a reason is 1 to ${REASON_MAX} characters on one line`)
}
