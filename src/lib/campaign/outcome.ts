import { counted } from '../counted.js'
import { CancelledError, ConflictError, PartialError } from '../errors.js'
import type { Workspace } from '../workspace.js'
import type { CampaignReport } from './types.js'

/**
 * What a run comes to for whoever started it: the report when all is done, else the error that says why not.
 * Throws PartialError when targets failed or a rule stopped it, ConflictError when somebody paused or aborted it,
 * CancelledError when this process was asked to end.
 */
export function outcomeOf({ signal }: Workspace, report: CampaignReport): CampaignReport {
  const { id, state, reason, targets, counts } = report
  const show = `cleverctl campaign show ${id}`
  const resume = `cleverctl campaign resume ${id}`
  const told = { result: report }
  const waiting = counts.waiting + counts.skipped
  const left = counted(waiting, 'target')
  switch (state) {
    case 'planned':
      return report
    case 'done':
      if (counts.failed === 0) return report
      throw new PartialError('targets-failed', `${counts.failed} of ${targets} targets failed`, {
        ...told,
        suggestions: [show, `${resume} --retry-failed`],
      })
    case 'stopped':
      throw new PartialError(
        'campaign-stopped',
        `campaign ${id} stopped with ${left} left: ${reason ?? 'by its rule'}`,
        { ...told, suggestions: [show, resume] },
      )
    case 'paused':
    case 'aborted':
      throw new ConflictError(
        `campaign-${state}`,
        `campaign ${id} was ${state}${reason === null ? '' : ` (${reason})`} with ${left} left`,
        { ...told, suggestions: state === 'paused' ? [show, resume] : [show] },
      )
    case 'running':
      if (!signal.aborted) return report
      throw new CancelledError(undefined, { ...told, suggestions: [resume] })
  }
}
