import { NotFoundError } from '../errors.js'
import { requireReason } from '../api-key/types.js'
import type { Secret } from '../secret.js'
import { giveAway, type SecretDelivery } from '../secret-delivery.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { openCredential } from './credential.js'
import { lockRouter } from './find.js'
import { selectCurrentCredentials } from './store.js'

/** The secrets that people need on site; a private key is of use to this tool alone. */
export const REVEALED_KINDS = ['admin', 'wifi'] as const
/** One of {@link REVEALED_KINDS}. */
export type RevealedKind = (typeof REVEALED_KINDS)[number]

/** A secret that was given away. */
export interface RevealedCredential {
  installation: string
  what: RevealedKind
  version: number
  /** Who logs in with it, or the SSID. */
  name: string
  /** The secret, only when it was asked for in the result. */
  secret?: string
}

/**
 * Gives one secret of a router to a person. The trail says so first: a secret that was seen and is not
 * in the trail must not be possible.
 * @param asked.delivery where it goes
 * @throws NotFoundError where no such secret is recorded, UsageError for an empty reason, ConflictError when
 *   a file is there already; nothing is in the trail then
 */
export async function revealCredential(
  workspace: Workspace,
  asked: { installation: string; what: RevealedKind; reason: string; delivery: SecretDelivery },
): Promise<RevealedCredential> {
  const { installation, what, reason, delivery } = asked
  requireReason(reason)
  const credential = { installation, kind: what, action: 'router.reveal', details: { reason } }
  const given = await giveAway(delivery, () => currentCredential(workspace, credential))
  return { installation, what, ...given }
}

/**
 * A secret that is in force, opened, after the trail has taken down what for.
 * @throws NotFoundError where no such secret is recorded
 */
export async function currentCredential(
  workspace: Workspace,
  asked: {
    installation: string
    kind: RevealedKind
    action: string
    details: Record<string, unknown>
  },
): Promise<{ secret: Secret; version: number; name: string }> {
  const { database, actor } = workspace
  const { installation, kind, action, details } = asked
  const keyring = await workspace.keyring()
  return database.transaction(async (transaction) => {
    const router = await lockRouter(transaction, installation)
    const current = await selectCurrentCredentials(transaction, router.id)
    const found = current.find((each) => each.kind === kind)
    if (found === undefined) throw noCredential(installation, kind)
    const { version, name } = found
    const secret = openCredential(keyring, found)
    await appendTrail(transaction, actor, {
      action,
      subject: installation,
      details: { ...details, what: kind, version },
    })
    return { secret, version, name }
  })
}

function noCredential(installation: string, kind: RevealedKind): NotFoundError {
  const what = { admin: 'password', wifi: 'Wi-Fi passphrase' }[kind]
  return new NotFoundError(
    'credential-not-found',
    `no ${what} is recorded for the router of ${installation}`,
    { suggestions: [`cleverctl router show ${installation}`] },
  )
}
