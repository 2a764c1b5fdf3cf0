import { formatRule, placeOf } from '../hba/format.js'
import type { HbaRule } from '../hba/types.js'
import type { Found } from './types.js'

/** Whether a rule may let somebody in. */
export function letsIn({ method }: HbaRule): boolean {
  return method !== 'reject'
}

/** Whether a rule is about connections over the network. */
export function isOverNetwork({ type }: HbaRule): boolean {
  return type !== 'local'
}

/** A finding about a line of pg_hba.conf. @param better the line that should stand there, without it none */
export function foundLine(
  rule: HbaRule,
  finding: { evidence: string; role?: string; better?: string },
): Found {
  const [place, line] = [placeOf(rule), formatRule(rule)]
  const { evidence, role = null, better } = finding
  return {
    subject: place,
    role,
    evidence: `${line}: ${evidence}`,
    fix: better === undefined ? `${place}: take it out` : `${place}: ${better}`,
    undo: `${place}: ${line}`,
  }
}
