import { unknownDevices } from '../device/find.js'
import { RefusedError, UsageError } from '../errors.js'
import { transactionWithDelivery, type SecretDelivery } from '../secret-delivery.js'
import { ensureSigningKeys } from '../signing-key/ensure.js'
import { loadSigner } from '../signing-key/signer.js'
import { MAX_TOKEN_TTL_MS } from '../signing-key/types.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { signToken } from './sign.js'
import { selectDeviceFacts, type DeviceFacts } from './store.js'

/** A token that was issued. `token` is the token itself, with --reveal only. */
export interface IssuedToken {
  serial: string
  installation: string
  /** Names the token in the trail and in logs. */
  tokenId: string
  /** The signing key. */
  kid: string
  expiresAt: string
  /** Seconds. */
  expiresIn: number
  token?: string
}

/**
 * Issues a token for a device at the installation where it stands, as the gate does for a device that
 * shows its secret.
 * @param asked.ttlMs its life in milliseconds, between a second and an hour
 * Throws NotFoundError (never manufactured), RefusedError (revoked, not installed, installation
 * retired), UsageError (life outside the policy).
 */
export async function issueToken(
  workspace: Workspace,
  asked: { serial: string; ttlMs: number; delivery: SecretDelivery },
): Promise<IssuedToken> {
  const { serial, ttlMs, delivery } = asked
  requireTtl(ttlMs)
  // A token that an interrupted run left behind is worth nothing that a new one is not.
  await delivery.resume(async () => false)
  await ensureSigningKeys(workspace)
  const signer = await loadSigner(workspace)
  const issued = await transactionWithDelivery(
    workspace.database,
    delivery,
    async (transaction) => {
      const device = await selectDeviceFacts(transaction, serial)
      if (device === undefined) throw await unknownDevices(transaction, [serial])
      const facts = requireInstalled(device, serial)
      const { clock, random } = workspace
      const signed = signToken(signer, { audience: 'ingest', ...facts }, { clock, random, ttlMs })
      const { installation } = facts
      const { tokenId } = signed
      const expiresAt = signed.expiresAt.toISOString()
      await appendTrail(transaction, workspace.actor, {
        action: 'token.issue',
        subject: serial,
        details: { tokenId, installation, kid: signer.kid, expiresAt },
      })
      const expiresIn = Math.floor(ttlMs / 1000)
      const result = { serial, installation, tokenId, kid: signer.kid, expiresAt, expiresIn }
      return { secret: signed.token, result }
    },
  )
  const revealed = delivery.revealed()
  return revealed === undefined ? issued : { ...issued, token: revealed }
}

/** Throws UsageError unless the life is within the policy. */
function requireTtl(ttlMs: number): void {
  if (ttlMs >= 1000 && ttlMs <= MAX_TOKEN_TTL_MS) return
  throw new UsageError('bad-ttl', 'a token lives between 1s and 1h')
}

function requireInstalled(facts: DeviceFacts, serial: string) {
  const { deviceEpoch, installation, installationEpoch } = facts
  if (facts.revokedAt !== null)
    throw new RefusedError(
      'device-revoked',
      `device ${serial} was revoked on ${facts.revokedAt.toISOString()}`,
      { suggestions: [`cleverctl device show ${serial}`] },
    )
  if (installation === null || installationEpoch === null)
    throw new RefusedError('device-not-installed', `device ${serial} is not installed anywhere`, {
      suggestions: ['install it with the mobile app first', `cleverctl device show ${serial}`],
    })
  if (facts.installationRetiredAt !== null)
    throw new RefusedError(
      'installation-retired',
      `installation ${installation}, where device ${serial} stands, was retired`,
      { suggestions: [`cleverctl installation show ${installation}`] },
    )
  return { serial: facts.serial, deviceEpoch, installation, installationEpoch }
}
