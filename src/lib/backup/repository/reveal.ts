import { requireReason } from '../../api-key/types.js'
import { findPgbackrestHost } from '../../host/backup-host.js'
import type { Secret } from '../../secret.js'
import { giveAway, type SecretDelivery } from '../../secret-delivery.js'
import { appendTrail } from '../../trail/append.js'
import type { Workspace } from '../../workspace.js'
import { openPassphrase } from './passphrase.js'
import { lockRepository } from './store.js'
import { unknownRepository, type RepositoryFacts } from './types.js'

/** A passphrase that was given away. */
export interface RevealedRepository extends RepositoryFacts {
  stanza: string
  /** The passphrase, only when it was asked for in the result. */
  secret?: string
}

/**
 * Gives the passphrase of a repository to a person, also of one that was taken out. The trail says so first.
 * @throws NotFoundError where this tool has added none of this number, UsageError for an empty reason, ConflictError
 *   when a file is there already; nothing is in the trail then
 */
export async function revealPassphrase(
  workspace: Workspace,
  asked: { stanza: string | undefined; number: number; reason: string; delivery: SecretDelivery },
): Promise<RevealedRepository> {
  requireReason(asked.reason)
  return giveAway(asked.delivery, () => take(workspace, asked))
}

async function take(
  workspace: Workspace,
  asked: { stanza: string | undefined; number: number; reason: string },
): Promise<Omit<RevealedRepository, 'secret'> & { secret: Secret }> {
  const { number, reason } = asked
  const stanza = asked.stanza ?? (await findPgbackrestHost(workspace, undefined)).stanza
  await workspace.keyring()
  return workspace.database.transaction(async (transaction) => {
    const found = await lockRepository(transaction, stanza, number)
    if (found === undefined) throw unknownRepository(stanza, number)
    const secret = await openPassphrase(workspace, found)
    const { kind, settings } = found
    await appendTrail(transaction, workspace.actor, {
      action: 'backup.repo.reveal',
      subject: stanza,
      details: { number, kind, settings, reason },
    })
    return { stanza, number, kind, settings, secret }
  })
}
