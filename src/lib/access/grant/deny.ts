import { ConflictError, UsageError } from '../../errors.js'
import { faultOfName } from '../../installation/types.js'
import type { Workspace } from '../../workspace.js'
import { findRequest, requestOver } from './approve.js'
import { denyRequest, showGrant } from './store.js'
import type { ShownGrant } from './types.js'

/** What became of a request. */
export interface Denied extends ShownGrant {
  outcome: 'denied' | 'unchanged'
}

/**
 * Ends a request that nobody has approved; any member of staff may, who asked for it as well.
 * @throws UsageError for what is no number and a bad reason, NotFoundError, ConflictError for what does not wait
 */
export async function denyAccess(
  workspace: Workspace,
  asked: { id: string; reason: string },
): Promise<Denied> {
  const fault = faultOfName(asked.reason)
  if (fault) throw new UsageError('bad-reason', `the reason: ${fault.reason}`)
  const { id } = await findRequest(workspace, asked.id)
  const isNew = await denyRequest(workspace.database, id, asked.reason, workspace.actor)
  const row = await findRequest(workspace, id)
  if (isNew || row.endReason === 'denied')
    return { ...showGrant(row), outcome: isNew ? 'denied' : 'unchanged' }
  if (row.state === 'ENDED') throw requestOver(row)
  throw new ConflictError('grant-in-force', `grant ${id} of ${row.email} waits for nobody`, {
    suggestions: [`cleverctl access revoke ${row.email}`],
  })
}
