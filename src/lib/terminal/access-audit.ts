import type { AccessAudit, AccessFinding } from '../access/audit/types.js'
import type { Screen } from './screen.js'

/** Draws an audit server by server; in a pipe one line a finding, and one for what could not be checked. */
export function drawAccessAudit(screen: Screen, audit: AccessAudit): void {
  if (screen.isTerminal) drawServers(screen, audit)
  else
    screen.table(audit.findings, [
      { title: 'SEVERITY', text: ({ severity }) => severity },
      { title: 'RULE', text: ({ rule }) => rule },
      { title: 'SERVER', text: ({ host }) => host },
      { title: 'SUBJECT', text: ({ subject }) => subject },
      { title: 'WHO', text: ({ who }) => who ?? '-' },
      { title: 'SEEN', text: ({ evidence }) => evidence },
      { title: 'FIX', text: ({ fix }) => fix },
      { title: 'UNDO', text: ({ undo }) => undo },
    ])
  for (const { rule, host, subject, acceptance } of screen.isTerminal ? audit.accepted : [])
    screen.mark(
      'ok',
      `${subject} at ${host}: accepted by ${acceptance.owner} until ${acceptance.until}`,
      rule,
    )
  for (const { rule, host, reason } of audit.notChecked)
    screen.mark('failure', `not checked at ${host}: ${reason}`, rule)
}

function drawServers(screen: Screen, { findings, hosts, notChecked }: AccessAudit): void {
  for (const { host, isStandby } of hosts) {
    screen.heading(isStandby ? `${host} (standby)` : host)
    const found = findings.filter((finding) => finding.host === host)
    for (const finding of found) drawFinding(screen, finding)
    if (found.length === 0 && notChecked.length === 0) screen.mark('ok', 'nothing was found')
  }
}

function drawFinding(screen: Screen, finding: AccessFinding): void {
  const { rule, severity, subject, who, evidence, fix } = finding
  const mark = severity === 'medium' ? 'warning' : 'failure'
  screen.mark(
    mark,
    `${subject}${who === null ? '' : ` (${who})`}: ${evidence}`,
    `${severity} ${rule}`,
  )
  screen.step(fix)
}
