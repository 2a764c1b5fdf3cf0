import type { JudgedFinding } from '../audit/judge.js'
import { otherwiseThanGranted } from '../audit/rules/otherwise-than-granted.js'
import type { AccessList } from '../audit/types.js'
import { linesFor } from '../hba/block.js'
import type { Plan, SeenServer } from './types.js'

/**
 * Plans how the lines of grants come to be as `access grant` writes them.
 * @param findings those of an audit
 * @param whyNot why the file must not be written
 */
export function planGrantLines(
  findings: readonly JudgedFinding[],
  { host, parts: { settings } }: SeenServer,
  { list, whyNot }: { list: AccessList; whyNot: string | undefined },
): Pick<Plan, 'changes' | 'left'> {
  const plan: Pick<Plan, 'changes' | 'left'> = { changes: [], left: [] }
  for (const { rule, subject, role, who, evidence, fix, undo } of findings) {
    const grant = role === null ? undefined : list.grantOf(role)
    if (rule !== otherwiseThanGranted.id || grant === undefined) continue
    const lines = linesFor(grant, list.holderOf(grant.role)?.networks ?? [])
    const about = { host, kind: 'pg_hba line' as const, rule, subject, role, who, fix, undo }
    const hasTls = settings instanceof Error || settings.get('ssl') === 'on'
    const reason =
      whyNot ??
      (hasTls ? undefined : 'the server has no TLS') ??
      (lines.length > 0 ? undefined : `${who} has no network on the list`)
    if (reason === undefined)
      plan.changes.push({
        ...about,
        from: evidence,
        to: lines.join('; '),
        granted: { role: grant.role, lines },
      })
    else plan.left.push({ ...about, from: evidence, to: '-', reason })
  }
  return plan
}
