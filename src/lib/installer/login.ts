import type { Secret } from '../secret.js'
import type { Workspace } from '../workspace.js'
import { countAttempt, forgetFailures, replaceHash } from './login-store.js'
import { hashPassword, needsRehash, verifyPassword } from './password.js'
import { passwordQueue } from './password-queue.js'
import { tryParseEmail } from './types.js'

/** Wrong passwords in a row that lock an installer out. */
const ATTEMPTS_MAX = 10
const LOCK_MS = 15 * 60_000

/** Why a login was refused. For the log and the metrics; outside they all look the same. */
export type LoginRefusal = 'unknown-email' | 'wrong-password' | 'locked' | 'disabled'

/** What became of a login. `busy`: too many passwords wait to be verified; nothing was counted. */
export type LoginOutcome =
  | { outcome: 'accepted'; installerId: string; email: string; epoch: number }
  | { outcome: 'refused'; code: LoginRefusal }
  | { outcome: 'busy' }

/**
 * Lets an installer in by e-mail address and password, for the mobile app.
 *
 * Every refusal takes the time of one verified password, whoever asks and whatever the reason.
 * Ten wrong passwords lock the installer out for a quarter of an hour. A password hashed with
 * former parameters is hashed anew. Needs the rights of a gate only.
 */
export async function loginInstaller(
  workspace: Workspace,
  credentials: { email: string; password: Secret },
): Promise<LoginOutcome> {
  const outcome = await passwordQueue.run(() => attemptLogin(workspace, credentials))
  return outcome === 'busy' ? { outcome: 'busy' } : outcome
}

async function attemptLogin(
  workspace: Workspace,
  { email, password }: { email: string; password: Secret },
): Promise<LoginOutcome> {
  const { database, clock, random, log } = workspace
  const now = clock.now()
  const parsed = tryParseEmail(email)
  const attempt =
    parsed &&
    (await countAttempt(database, {
      email: parsed,
      now,
      lockedUntil: new Date(now.getTime() + LOCK_MS),
      attemptsMax: ATTEMPTS_MAX,
    }))
  const counted = attempt?.counted
  const matches = await verifyPassword(counted?.passwordHash, password)
  if (!parsed || !attempt) return { outcome: 'refused', code: 'unknown-email' }
  if (!counted) return { outcome: 'refused', code: 'locked' }
  if (!matches) {
    if (counted.lockedUntil) {
      log.warn(`installer ${parsed} is locked out until ${counted.lockedUntil.toISOString()}`)
    }
    return { outcome: 'refused', code: 'wrong-password' }
  }
  if (counted.disabledAt) return { outcome: 'refused', code: 'disabled' }
  const { installerId } = attempt
  await forgetFailures(database, installerId)
  if (await needsRehash(counted.passwordHash)) {
    const newHash = await hashPassword(password, random)
    await replaceHash(database, { installerId, oldHash: counted.passwordHash, newHash })
  }
  return { outcome: 'accepted', installerId, email: parsed, epoch: counted.tokenEpoch }
}
