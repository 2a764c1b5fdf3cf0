import type { Queryable } from '../database/database.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { generateSigningKey } from './generate.js'
import { insertSigningKey, lockSigningKeys, selectSigningKeys } from './store.js'

/**
 * Makes the first signing keys, ACTIVE and NEXT, where they are missing; any number of processes may
 * call it at once. Needs the staff's rights: a gate alone cannot make keys.
 * @returns the kids that were made; none when nothing was missing
 */
export async function ensureSigningKeys(workspace: Workspace): Promise<string[]> {
  if ((await missingStates(workspace.database)).length === 0) return []
  return workspace.database.transaction(async (transaction) => {
    await lockSigningKeys(transaction)
    const now = workspace.clock.now()
    const made = []
    for (const state of await missingStates(transaction)) {
      const key = await generateSigningKey(workspace)
      await insertSigningKey(transaction, key, state, now)
      made.push({ kid: key.kid, state })
    }
    if (made.length > 0)
      await appendTrail(transaction, workspace.actor, {
        action: 'signing-key.create',
        subject: 'signing-key',
        details: { made },
      })
    return made.map(({ kid }) => kid)
  })
}

async function missingStates(queryable: Queryable): Promise<('ACTIVE' | 'NEXT')[]> {
  const states = new Set((await selectSigningKeys(queryable)).map(({ state }) => state))
  return (['ACTIVE', 'NEXT'] as const).filter((state) => !states.has(state))
}
