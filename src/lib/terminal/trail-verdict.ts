import type { TrailVerdict } from '../trail/chain.js'
import type { Screen } from './screen.js'

/** Draws what checking a chain of rows gave. */
export function drawTrailVerdict(screen: Screen, verdict: TrailVerdict): void {
  const { rows, head, problems, unlistedProblems } = verdict
  screen.facts([
    ['rows', String(rows)],
    ['head', `${head.seq} ${head.hash}`],
    ['problems', String(problems.length + unlistedProblems)],
  ])
  if (problems.length === 0) return
  screen.table(problems, [
    {
      title: 'ROW',
      text: ({ seq, throughSeq }) =>
        throughSeq === undefined ? String(seq) : `${seq}-${throughSeq}`,
      align: 'right',
    },
    { title: 'PROBLEM', text: ({ kind }) => kind, mark: () => 'failure' },
    { title: 'SEEN', text: ({ explanation }) => explanation },
  ])
}
