import type { Column, Mark, Screen } from './screen.js'

/** A copy that is kept or goes, as a plan of retention says. */
interface Pruned {
  outcome: 'kept' | 'expired' | 'deleted' | 'failed'
  keptFor: readonly string[]
}

const MARKS: Record<Pruned['outcome'], Mark> = {
  kept: 'ok',
  expired: 'warning',
  deleted: 'warning',
  failed: 'failure',
}

/**
 * Draws what becomes of copies, and how those that may go are let go.
 * @param columns what tells one copy from another
 * @param given.command deletes them
 */
export function drawPruned<Copy extends Pruned>(
  screen: Screen,
  copies: readonly Copy[],
  columns: readonly Column<Copy>[],
  { isDryRun, command }: { isDryRun: boolean; command: string },
): void {
  screen.table(copies, [
    ...columns,
    { title: 'OUTCOME', text: ({ outcome }) => outcome, mark: ({ outcome }) => MARKS[outcome] },
    { title: 'KEPT FOR', text: ({ keptFor }) => keptFor.join(', ') || '-' },
  ])
  if (isDryRun && copies.some(({ outcome }) => outcome === 'expired'))
    screen.step(command, 'nothing was deleted yet')
}
