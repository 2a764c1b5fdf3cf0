import { requireActiveOwner } from '../api-key/owner.js'
import { lockOwner } from '../api-key/store.js'
import type { Transaction } from '../database/database.js'
import type { Secret } from '../secret.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { sealCredential } from './credential.js'
import { abandonRotation } from './rotation/store.js'
import {
  insertRouter,
  replaceCredential,
  selectCurrentCredentials,
  selectRouter,
  updateRouter,
} from './store.js'
import { alreadyThere, type NewSecret, type RouterToAdd } from './to-add.js'
import type { CredentialKind, RouterFacts } from './types.js'

/**
 * Writes a router and its sealed secrets down, with the line in the trail. A rotation that was under way is given up.
 * @throws NotFoundError for an installation that went away, ConflictError for a retired one and for another router there
 */
export async function recordRouter(
  workspace: Workspace,
  given: { asked: RouterToAdd; facts: RouterFacts; secrets: readonly NewSecret[] },
): Promise<'added' | 'replaced'> {
  const { database, clock, actor } = workspace
  const { asked, facts, secrets } = given
  const { installation } = asked
  const keyring = await workspace.keyring()
  return database.transaction(async (transaction) => {
    const owner = requireActiveOwner(await lockOwner(transaction, installation), installation)
    const recorded = await selectRouter(transaction, installation)
    if (recorded !== undefined && !asked.isReplacing) throw alreadyThere(installation)
    const at = clock.now()
    const verifiedAt = asked.isOffline ? null : at
    const routerId = recorded?.id
    if (routerId !== undefined) {
      await abandonRotation(transaction, routerId, at)
      await updateRouter(transaction, { ...facts, id: routerId, verifiedAt })
    }
    const id =
      routerId ??
      (await insertRouter(transaction, { ...facts, installationId: owner.id, at, verifiedAt }))
    const credentials = await putInForce(transaction, id, secrets, at, (secret) =>
      sealCredential(keyring, workspace.random, secret),
    )
    const outcome = recorded === undefined ? ('added' as const) : ('replaced' as const)
    await appendTrail(transaction, actor, {
      action: recorded === undefined ? 'router.add' : 'router.replace',
      subject: installation,
      details: { ...facts, verified: !asked.isOffline, credentials },
    })
    return outcome
  })
}

async function putInForce(
  transaction: Transaction,
  routerId: string,
  secrets: readonly NewSecret[],
  at: Date,
  seal: (secret: Secret) => { credentialId: string; sealed: Buffer },
): Promise<{ kind: CredentialKind; version: number }[]> {
  const current = await selectCurrentCredentials(transaction, routerId)
  const made: { kind: CredentialKind; version: number }[] = []
  for (const { kind, name, secret, digest } of secrets) {
    const former = current.find((each) => each.kind === kind)
    if (former?.name === name && former.digest.equals(digest)) continue
    const row = { routerId, kind, name, digest, at, ...seal(secret) }
    made.push({ kind, version: await replaceCredential(transaction, row) })
  }
  return made
}
