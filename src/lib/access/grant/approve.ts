import { ConflictError, NotFoundError, UsageError } from '../../errors.js'
import { selectAccount } from '../../staff/store.js'
import type { Workspace } from '../../workspace.js'
import { approvalChecked } from './approval-refused.js'
import { trustedAuthority } from './certificate.js'
import { letIn } from './put-in-force.js'
import { withServers } from './servers.js'
import {
  approveRequest,
  mayChangeGrants,
  selectGrant,
  selectOpenGrants,
  showGrant,
  type ListedGrantRow,
} from './store.js'
import type { Admission, ShownGrant } from './types.js'

/** What became of a request. */
export interface Approved extends ShownGrant {
  outcome: 'approved' | 'unchanged'
  /** From where the role is let in by pg_hba.conf of each server; empty while it is not in force. */
  admissions: Admission[]
}

/**
 * Approves a request as a second member of staff. Where the login is that of the owner of the cleverctl database,
 * the grant is put in force as well; else whoever asked for it does that by giving the same order again. The same
 * command finishes what was interrupted.
 * @throws UsageError for what is no number, NotFoundError, ConflictError for what does not wait
 * @throws RefusedError for who asked for it, who is let in by it, and who is no member of staff
 * @throws UnreachableError when a server cannot be reached: then it is approved, and not in force
 */
export async function approveAccess(
  workspace: Workspace,
  asked: { id: string; environment: NodeJS.ProcessEnv },
): Promise<Approved> {
  const { database, actor } = workspace
  const before = await findRequest(workspace, asked.id)
  const isNew =
    before.state === 'REQUESTED' &&
    (await approvalChecked(
      `request ${before.id} of ${before.email}`,
      approveRequest(database, before.id, actor),
    ))
  const row = await findRequest(workspace, asked.id)
  requireApproved(row)
  const outcome = isNew ? 'approved' : 'unchanged'
  if (row.state === 'ACTIVE' || !(await mayChangeGrants(database)))
    return { ...showGrant(row), outcome, admissions: [] }
  return withServers(workspace, row.servers, asked.environment, async (servers) => {
    const [failed] = servers.failed
    if (failed) throw failed.error
    const [open] = await selectOpenGrants(database, { email: row.email })
    if (open?.id !== row.id) throw requestOver(row)
    const networks = (await selectAccount(database, 'staff', row.email))?.networks ?? []
    const authority = await trustedAuthority(workspace, open, servers.open)
    const done = await letIn(workspace, servers, open, { networks, authority })
    return { ...showGrant(done.row), outcome: 'approved', admissions: done.admissions }
  })
}

/**
 * The request with a number, whatever became of it.
 * @throws UsageError for what is no number, NotFoundError
 */
export async function findRequest({ database }: Workspace, id: string): Promise<ListedGrantRow> {
  const suggestions = ['cleverctl access grants']
  if (!/^[1-9]\d{0,17}$/.test(id))
    throw new UsageError('bad-number', 'a request is known by its number', { suggestions })
  const row = await selectGrant(database, id)
  if (row) return row
  throw new NotFoundError('request-not-found', `no request has the number ${id}`, { suggestions })
}

/** The error for a request that ended. */
export function requestOver({ id, email, endReason }: ListedGrantRow): ConflictError {
  return new ConflictError(
    'request-over',
    `request ${id} of ${email} is over${endReason === null ? '' : `: ${endReason}`}`,
    { suggestions: ['cleverctl access grants --all'] },
  )
}

function requireApproved(row: ListedGrantRow): void {
  const { id, email, state, approvedBy } = row
  if (state === 'ENDING' || state === 'ENDED') throw requestOver(row)
  if (approvedBy === null)
    throw new ConflictError('approval-not-needed', `grant ${id} of ${email} needs no approval`, {
      suggestions: ['cleverctl access grants'],
    })
}
