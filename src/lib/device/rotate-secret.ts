import { ConflictError, UsageError } from '../errors.js'
import { transactionWithDelivery, type SecretDelivery } from '../secret-delivery.js'
import { appendTrail } from '../trail/append.js'
import type { Transaction } from '../database/database.js'
import type { Workspace } from '../workspace.js'
import { unknownDevices } from './find.js'
import { deviceSecretDigest, makeDeviceSecret } from './secret.js'
import { lockDevices, replaceSecret, type LockedDevice } from './store.js'
import { parseSerial, type DeviceSerial } from './types.js'

/** A device with a new secret. */
export interface RotatedSecret {
  serial: string
  /** `settled` when an interrupted run had rotated already and only its file was unfinished. */
  outcome: 'rotated' | 'settled'
  /** Until when the former secret goes on working; null when it has ended. */
  formerSecretUntil: string | null
  /** The new secret, only when it was asked for in the result. */
  secret?: string
}

/** How long a former secret works unless told otherwise: a technician's day. */
export const DEFAULT_GRACE_MS = 24 * 3_600_000
/** A former secret that works for longer than a month is no former secret. */
const MAX_GRACE_MS = 31 * DEFAULT_GRACE_MS

/**
 * Gives a device a new secret. The former one works until now + grace, so that the device can be
 * given the new one without losing data; with a grace of 0, for a secret that leaked, it ends at
 * once, and with it every token that was got by it.
 * @param asked.delivery where the new secret goes
 * @throws NotFoundError for an unknown serial, UsageError for too long a grace
 * @throws ConflictError for a revoked device, and while an earlier rotation's grace runs unless this one's is 0
 */
export async function rotateDeviceSecret(
  workspace: Workspace,
  asked: { serial: string; graceMs: number; delivery: SecretDelivery },
): Promise<RotatedSecret> {
  const { database, actor, clock, random } = workspace
  const { graceMs, delivery } = asked
  const serial = parseSerial(asked.serial)
  if (graceMs > MAX_GRACE_MS) throw new UsageError('bad-grace', 'the grace is 31 days at most')
  const isInForce = (secret: string): Promise<boolean> =>
    database.transaction(async (transaction) => {
      const device = await requireDevice(transaction, serial)
      return device.secretSha256.equals(deviceSecretDigest(secret))
    })
  if (await delivery.resume((secret) => isInForce(secret.reveal()))) {
    const device = await database.transaction((transaction) => requireDevice(transaction, serial))
    const until = device.previousSecretUntil?.toISOString() ?? null
    return { serial, outcome: 'settled', formerSecretUntil: until }
  }
  const formerUntil = await transactionWithDelivery(database, delivery, async (transaction) => {
    const device = await requireDevice(transaction, serial)
    const now = clock.now()
    requireRotatable(device, { now, graceMs })
    const secret = makeDeviceSecret(random)
    const until = graceMs === 0 ? undefined : new Date(now.getTime() + graceMs)
    const secretSha256 = deviceSecretDigest(secret.reveal())
    await replaceSecret(transaction, {
      id: device.id,
      secretSha256,
      at: now,
      formerUntil: until,
    })
    await appendTrail(transaction, actor, {
      action: 'device.rotate-secret',
      subject: serial,
      details: { formerSecretUntil: until?.toISOString() ?? null },
    })
    return { secret, result: until }
  })
  const revealed = delivery.revealed()
  return {
    serial,
    outcome: 'rotated',
    formerSecretUntil: formerUntil?.toISOString() ?? null,
    ...(revealed === undefined ? {} : { secret: revealed }),
  }
}

async function requireDevice(
  transaction: Transaction,
  serial: DeviceSerial,
): Promise<LockedDevice> {
  const [device] = await lockDevices(transaction, [serial])
  if (device) return device
  throw await unknownDevices(transaction, [serial])
}

function requireRotatable(
  { serial, revokedAt, previousSecretUntil }: LockedDevice,
  { now, graceMs }: { now: Date; graceMs: number },
): void {
  if (revokedAt) throw new ConflictError('device-revoked', `device ${serial} is revoked`)
  if (graceMs === 0 || !previousSecretUntil || previousSecretUntil <= now) return
  const message = `device ${serial} is in a rotation already: its former secret works until ${previousSecretUntil.toISOString()}, and a second one would end it`
  throw new ConflictError('rotation-running', message, {
    suggestions: [`cleverctl device rotate-secret ${serial} --grace 0 --output secret.txt`],
  })
}
