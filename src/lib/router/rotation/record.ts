import { appendTrail } from '../../trail/append.js'
import type { Workspace } from '../../workspace.js'
import { lockRouter } from '../find.js'
import type { RouterRow } from '../store.js'
import { putInForce, rollBackStaged } from './credential-store.js'
import type { Evidence, Verdict } from './decide.js'
import { retireGrace } from './overlap-store.js'
import { closeRotation, markVerified, type OpenRotation } from './store.js'
import type { Part } from './types.js'

/**
 * Ends a rotation, puts the secrets in force that are, and tells the trail. Somebody else may have been quicker.
 * @param given.login by which password the router was opened
 */
export async function recordVerdict(
  { database, clock, actor }: Workspace,
  { router, rotation }: { router: RouterRow; rotation: OpenRotation },
  { verdict, login }: { verdict: Verdict; login: Evidence['login'] },
): Promise<void> {
  const state = ({ NEW: 'CONFIRMED', OLD: 'ROLLED_BACK', FOREIGN: 'FOREIGN' } as const)[verdict]
  await database.transaction(async (transaction) => {
    await lockRouter(transaction, router.installation)
    const at = clock.now()
    if (!(await closeRotation(transaction, { id: rotation.id, state, at }))) return
    // Whatever else is foreign: the password that opened the router is the one in force.
    const kinds: readonly Part[] =
      verdict === 'NEW' ? rotation.parts : verdict === 'FOREIGN' && login === 'NEW' ? ['admin'] : []
    const graceUntil = rotation.overlapUntil
    if (rotation.step === 'retire') {
      if (verdict !== 'OLD') await retireGrace(transaction, router.id, at)
    } else if (kinds.length > 0) {
      const given = { routerId: router.id, rotationId: rotation.id, kinds, graceUntil, at }
      await putInForce(transaction, given)
    }
    await rollBackStaged(transaction, rotation.id, at)
    await markVerified(transaction, router.id, at)
    await appendTrail(transaction, actor, {
      phase: 'outcome',
      action: 'router.rotate',
      subject: router.installation,
      details: {
        change: rotation.changeId,
        step: rotation.step,
        parts: rotation.parts,
        inForce: verdict,
      },
    })
  })
}
