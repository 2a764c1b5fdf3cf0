import type { AcceptedFinding, AccessFinding } from '../audit/types.js'
import type { AcceptanceRow } from './store.js'
import { acceptanceState } from './types.js'

/** Parts the findings that somebody answers for on this day from those that count. */
export function applyAcceptances<Finding extends AccessFinding>(
  findings: readonly Finding[],
  acceptances: readonly AcceptanceRow[],
  now: Date,
): { findings: Finding[]; accepted: (Finding & Pick<AcceptedFinding, 'acceptance'>)[] } {
  const valid = acceptances.filter((row) => acceptanceState(row, now) === 'valid')
  const counting: Finding[] = []
  const accepted: (Finding & Pick<AcceptedFinding, 'acceptance'>)[] = []
  for (const finding of findings) {
    const { rule, subject, host } = finding
    const found = valid.find(
      (row) =>
        row.rule === rule && row.subject === subject && (row.host === null || row.host === host),
    )
    if (!found) counting.push(finding)
    else {
      const { id, owner, reason, until } = found
      accepted.push({ ...finding, acceptance: { id, owner, reason, until } })
    }
  }
  return { findings: counting, accepted }
}
