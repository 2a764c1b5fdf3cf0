import type { ShownPolicy } from '../access/policy/show.js'
import { formatDuration } from '../duration.js'
import type { Screen } from './screen.js'

/** Draws which grants need approval and who can give it. */
export function drawPolicy(screen: Screen, policy: ShownPolicy): void {
  const { longerThanMs, changing, databases, lapseAfterMs, approvers, setAt } = policy
  const length =
    longerThanMs === null
      ? []
      : [longerThanMs === 0 ? 'always' : `longer than ${formatDuration(longerThanMs)}`]
  const conditions = [
    ...length,
    ...(changing ? ['changing rows'] : []),
    ...databases.map((name) => `database ${name}`),
  ]
  screen.facts([
    ['approval', conditions.length === 0 ? 'never' : conditions.join(', or ')],
    ['requests lapse', `after ${formatDuration(lapseAfterMs)}`],
    ['set', screen.time(setAt)],
    ['approvers', approvers.length === 0 ? 'nobody' : approvers.join(' ')],
  ])
}
