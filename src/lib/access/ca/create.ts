import { randomBase62 } from '../../base62.js'
import { ConflictError } from '../../errors.js'
import { changeList } from '../../staff/change.js'
import { appendTrail } from '../../trail/append.js'
import type { Workspace } from '../../workspace.js'
import { makeAuthority, openAuthority } from './authority.js'
import { sealIdentity } from './open.js'
import { insertCa, lockCa, replaceCa, selectCa, selectCertified } from './store.js'
import { showCa, type ShownCa } from './types.js'

const ID_LENGTH = 8

/** The authority, and whether it was there. */
export type CreatedCa = ShownCa & { outcome: 'created' | 'replaced' | 'unchanged' }

/**
 * Makes the authority that signs client certificates, its key sealed by the keyring. Where there is one, nothing is
 * changed, unless it is to be replaced; the former key is erased then.
 * @throws ConflictError while grants with a certificate are open: their end needs the authority
 * @throws RefusedError for anybody but the owner of the database
 */
export async function createCa(
  workspace: Workspace,
  { isReplaced }: { isReplaced: boolean },
): Promise<CreatedCa> {
  const { database, actor, clock, random } = workspace
  // Opened before the transaction: that may ask a person.
  const keyring = await workspace.keyring()
  return changeList(database, async (transaction) => {
    await lockCa(transaction)
    const former = await selectCa(transaction)
    if (former && !isReplaced) return { ...showCa(former), outcome: 'unchanged' }
    if (former) {
      const people = await selectCertified(transaction)
      if (people.length > 0)
        throw new ConflictError(
          'certificates-in-force',
          `grants with a certificate are open: ${people.join(', ')}`,
          { suggestions: people.map((email) => `cleverctl access revoke ${email}`) },
        )
      await replaceCa(transaction, clock.now())
    }
    const [id, createdAt] = [randomBase62(random, ID_LENGTH), clock.now()]
    const { certificate, pkcs8 } = await makeAuthority({ id, now: createdAt, random })
    const authority = await openAuthority(certificate, pkcs8, random)
    const revocationList = await authority.revocationList({ serials: [], now: createdAt })
    const sealed = keyring.seal(pkcs8, sealIdentity(id))
    pkcs8.fill(0)
    const row = { id, certificate, revocationList, createdAt }
    await insertCa(transaction, { ...row, sealed })
    const made = { ...showCa(row), outcome: former ? ('replaced' as const) : ('created' as const) }
    const { fingerprint, outcome } = made
    const details = { fingerprint, outcome, former: former?.id ?? null }
    await appendTrail(transaction, actor, { action: 'access.ca', subject: id, details })
    return made
  })
}
