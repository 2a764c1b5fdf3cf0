import { summaryOf, tellFinding } from '../device/audit/rules.js'
import { AUDIT_KINDS, type AuditFinding, type DeviceAudit } from '../device/audit/types.js'
import type { Column, Mark, Screen } from './screen.js'

const MARKS: Record<AuditFinding['severity'], Mark> = {
  error: 'failure',
  warning: 'warning',
  note: 'warning',
}

/**
 * Draws an audit kind by kind, with the next step for the first finding of each; in a pipe one line a
 * finding, and one for each kind that could not be checked.
 */
export function drawAudit(screen: Screen, audit: DeviceAudit): void {
  if (screen.isTerminal) drawKinds(screen, audit)
  else {
    screen.table(audit.findings, [
      { title: 'SEVERITY', text: ({ severity }) => severity },
      { title: 'KIND', text: ({ kind }) => kind },
      ...columns(screen),
      { title: 'NEXT', text: ({ next }) => next },
    ])
  }
  for (const { kind, reason } of audit.notChecked)
    screen.mark('failure', `not checked: ${reason}`, kind)
}

function drawKinds(screen: Screen, { findings, counts, notChecked }: DeviceAudit): void {
  for (const kind of AUDIT_KINDS) {
    const ofKind = findings.filter((finding) => finding.kind === kind)
    const [first] = ofKind
    if (first === undefined) continue
    const count = counts[kind] ?? ofKind.length
    screen.mark(MARKS[first.severity], `${count.toLocaleString('en')}: ${summaryOf(kind)}`, kind)
    screen.table(ofKind, columns(screen))
    screen.step(first.next, ofKind.length > 1 ? `next, for ${nameOf(first)}:` : undefined)
    screen.line()
  }
  if (findings.length === 0 && notChecked.length === 0) screen.mark('ok', 'nothing was found')
}

function columns(screen: Screen): Column<AuditFinding>[] {
  return [
    { title: 'SERIAL', text: ({ serial }) => serial ?? '-' },
    { title: 'INSTALLATION', text: ({ installation }) => installation ?? '-' },
    { title: 'SEEN', text: (finding) => tellFinding(finding, (at) => screen.time(at)) },
  ]
}

function nameOf({ serial, installation }: AuditFinding): string {
  return serial ?? installation ?? 'the first'
}
