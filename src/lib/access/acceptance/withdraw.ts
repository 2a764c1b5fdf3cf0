import { NotFoundError, UsageError } from '../../errors.js'
import { changeList } from '../../staff/change.js'
import { appendTrail } from '../../trail/append.js'
import type { Workspace } from '../../workspace.js'
import { lockAcceptance, markWithdrawn } from './store.js'

/** What became of an acceptance that was to end. */
export interface Withdrawn {
  id: string
  rule: string
  subject: string
  outcome: 'withdrawn' | 'unchanged'
}

/**
 * Lets a finding count again.
 * @throws UsageError for what is no number, NotFoundError, RefusedError for anybody but the owner of the database
 */
export async function withdrawAcceptance(workspace: Workspace, id: string): Promise<Withdrawn> {
  const { database, actor, clock } = workspace
  if (!/^[1-9]\d{0,17}$/.test(id))
    throw new UsageError('bad-number', 'an acceptance is known by its number', {
      suggestions: ['cleverctl access accept list'],
    })
  return changeList(database, async (transaction) => {
    const row = await lockAcceptance(transaction, id)
    if (!row)
      throw new NotFoundError('acceptance-not-found', `no acceptance has the number ${id}`, {
        suggestions: ['cleverctl access accept list'],
      })
    const { rule, subject } = row
    if (row.withdrawnAt) return { id, rule, subject, outcome: 'unchanged' }
    await markWithdrawn(transaction, id, clock.now())
    await appendTrail(transaction, actor, {
      action: 'access.withdraw',
      subject: `${rule} ${subject}`,
      details: { id },
    })
    return { id, rule, subject, outcome: 'withdrawn' }
  })
}
