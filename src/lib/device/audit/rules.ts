import { clockLiar } from './rules/clock-liar.js'
import { early } from './rules/early.js'
import { ghost } from './rules/ghost.js'
import { mute } from './rules/mute.js'
import { shelfWarmer } from './rules/shelf-warmer.js'
import { squatter } from './rules/squatter.js'
import { staleKey } from './rules/stale-key.js'
import { staleSecret } from './rules/stale-secret.js'
import { twin } from './rules/twin.js'
import { zombie } from './rules/zombie.js'
import { AUDIT_KINDS, type AuditFinding, type AuditKind, type AuditRule } from './types.js'

const RULES: Record<AuditKind, AuditRule> = {
  ghost,
  squatter,
  zombie,
  twin,
  early,
  'clock-liar': clockLiar,
  mute,
  'stale-key': staleKey,
  'stale-secret': staleSecret,
  'shelf-warmer': shelfWarmer,
}

/** All rules, the gravest first. */
export const AUDIT_RULES: readonly AuditRule[] = AUDIT_KINDS.map((kind) => RULES[kind])

/** What a finding of this kind says, in a line. */
export function summaryOf(kind: AuditKind): string {
  return RULES[kind].summary
}

/** What was seen, for people. @param time writes a moment */
export function tellFinding(finding: AuditFinding, time: (at: string) => string): string {
  return RULES[finding.kind].tell(finding, time)
}
