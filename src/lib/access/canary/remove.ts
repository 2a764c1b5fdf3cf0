import { ConflictError, NotFoundError, UsageError } from '../../errors.js'
import { isSqlState, SqlState } from '../../database/sqlstate.js'
import { changeList } from '../../staff/change.js'
import { appendTrail } from '../../trail/append.js'
import type { Workspace } from '../../workspace.js'
import { atPlaceOf } from './place.js'
import { dropDecoy } from './server-store.js'
import { moveCanary, selectCanary } from './store.js'
import { showCanary, type ShownCanary } from './types.js'

/** What became of a decoy that was to go. */
export type RemovedCanary = ShownCanary & { outcome: 'removed' | 'unchanged' }

/**
 * Drops a decoy from its server. Something else of its name is left as it is. The same command again finishes what
 * was interrupted.
 * @throws UsageError for what is no number, NotFoundError, ConflictError for a role that was given something
 * @throws RefusedError for anybody but the owner of the cleverctl database, and a login that is no superuser
 */
export async function removeCanary(
  workspace: Workspace,
  asked: { id: string; environment: NodeJS.ProcessEnv },
): Promise<RemovedCanary> {
  const { database, actor, clock } = workspace
  const { id } = asked
  const suggestions = ['cleverctl access canary list']
  if (!/^[1-9]\d{0,17}$/.test(id))
    throw new UsageError('bad-number', 'a canary is known by its number', { suggestions })
  const row = await selectCanary(database, id)
  if (!row)
    throw new NotFoundError('canary-not-found', `no canary has the number ${id}`, { suggestions })
  if (row.state === 'REMOVED') return { ...showCanary(row), outcome: 'unchanged' }
  const { kind, name } = row
  const record = async (phase: 'intent' | 'outcome') =>
    changeList(database, async (transaction) => {
      const move =
        phase === 'intent'
          ? { from: ['PLANNED', 'PLANTED'] as const, to: 'REMOVING' as const }
          : { from: ['REMOVING'] as const, to: 'REMOVED' as const, removedAt: clock.now() }
      if (!(await moveCanary(transaction, id, move))) return
      const details = { id, kind }
      await appendTrail(transaction, actor, {
        ...{ action: 'access.unplant', subject: name, phase, details },
      })
    })
  await atPlaceOf(workspace, row, asked.environment, async (server) => {
    await record('intent')
    await dropDecoy(server, row).catch((error: unknown) => {
      if (!isSqlState(error, SqlState.DEPENDENT_OBJECTS)) throw error
      throw new ConflictError('canary-in-use', `the role ${name} owns something or has rights`, {
        suggestions: [`look who gave it what, then: drop owned by ${name}`],
      })
    })
    await record('outcome')
  })
  const done = await selectCanary(database, id)
  return { ...showCanary(done ?? row), outcome: 'removed' }
}
