import { SEVERITIES } from '../access/audit/types.js'
import type { AccessReport, Listed, TrailPart } from '../access/report/types.js'
import type { Column, Screen } from './screen.js'

/** Draws a report part by part; in a pipe each line begins with the part that it belongs to. */
export function drawAccessReport(screen: Screen, report: AccessReport): void {
  screen.facts(factsOf(screen, report))
  drawPeople(screen, report)
  drawFindings(screen, report)
  drawList(screen, 'accepted', { rows: report.acceptances, total: report.acceptances.length }, [
    { title: 'RULE', text: ({ rule }) => rule },
    { title: 'SUBJECT', text: ({ subject }) => subject },
    { title: 'OWNER', text: ({ owner }) => owner },
    { title: 'UNTIL', text: ({ until }) => until },
    { title: 'STATE', text: ({ state }) => state },
    { title: 'REASON', text: ({ reason }) => reason, isMinor: true },
  ])
  drawList(screen, 'grants', report.grants, [
    { title: 'EMAIL', text: ({ email }) => email },
    { title: 'RIGHTS', text: ({ readOnly }) => (readOnly ? 'reading' : 'changing') },
    { title: 'STATE', text: ({ state }) => state },
    { title: 'ENDS', text: ({ endsAt }) => screen.time(endsAt) },
    { title: 'ENDED', text: ({ endedAt }) => screen.time(endedAt), isMinor: true },
    { title: 'GIVEN BY', text: ({ grantedBy }) => grantedBy ?? '-', isMinor: true },
    { title: 'APPROVED BY', text: ({ approvedBy }) => approvedBy ?? '-', isMinor: true },
    { title: 'REASON', text: ({ reason }) => reason, isMinor: true },
  ])
  drawList(screen, 'drills', report.drills, [
    { title: 'COPY', text: ({ subject }) => subject },
    { title: 'KIND', text: ({ kind }) => kind },
    { title: 'MACHINE', text: ({ host }) => host },
    {
      title: 'RESULT',
      text: ({ result }) => result,
      mark: ({ result }) => (result === 'proven' ? 'ok' : 'failure'),
    },
    { title: 'ENDED', text: ({ endedAt }) => screen.time(endedAt) },
    { title: 'TRAIL', text: ({ trailRow }) => String(trailRow ?? '-'), isMinor: true },
  ])
  drawList(screen, 'copies', report.copies, [
    { title: 'COPY', text: ({ subject }) => subject },
    { title: 'KIND', text: ({ kind }) => kind },
    { title: 'MADE', text: ({ at }) => screen.time(at) },
    { title: 'CONTENT', text: ({ content }) => content, isMinor: true },
    { title: 'PROVEN', text: ({ provenAt }) => screen.time(provenAt) },
  ])
  for (const file of report.files) screen.mark('ok', file, 'written')
}

function factsOf(
  screen: Screen,
  { since, until, database, sessions, findings, trail }: AccessReport,
): [label: string, value: string][] {
  const { counts, audits, gone, servers } = findings
  return [
    ['database', database],
    ['from', screen.time(since)],
    ['until', screen.time(until)],
    [
      'connections',
      sessions.recordedSince === null
        ? 'not kept (cleverctl access sessions --record)'
        : `${sessions.total}, of which ${sessions.flagged} stand out`,
    ],
    ['audits', String(audits)],
    ['servers', String(servers.length)],
    [
      'findings',
      // None found and never looked are two things.
      servers.length === 0
        ? 'not known (cleverctl access audit)'
        : SEVERITIES.map((severity) => `${counts[severity]} ${severity}`).join(', '),
    ],
    ['went away', String(gone)],
    ['trail', wholeness(trail)],
    ['ledger', wholeness(sessions.ledger)],
  ]
}

function wholeness({ isSound, rows }: TrailPart): string {
  return `${isSound ? 'whole' : 'broken'}, ${rows} rows`
}

function drawPeople(screen: Screen, { sessions }: AccessReport): void {
  drawList(screen, 'people', sessions.people, [
    { title: 'WHO', text: ({ who }) => who ?? '-' },
    { title: 'SESSIONS', text: ({ sessions: count }) => String(count), align: 'right' },
    { title: 'REFUSED', text: ({ refused }) => String(refused), align: 'right' },
    {
      title: 'STAND OUT',
      text: ({ flagged }) => String(flagged),
      align: 'right',
      mark: ({ flagged }) => (flagged > 0 ? 'warning' : undefined),
    },
    { title: 'FROM', text: ({ addresses }) => addresses.join(' '), isMinor: true },
    { title: 'LAST', text: ({ lastAt }) => screen.time(lastAt) },
  ])
}

function drawFindings(screen: Screen, { findings }: AccessReport): void {
  drawList(screen, 'findings', findings.open, [
    {
      title: 'SEVERITY',
      text: ({ severity }) => severity,
      mark: ({ severity }) => (severity === 'medium' ? 'warning' : 'failure'),
    },
    { title: 'RULE', text: ({ rule }) => rule },
    { title: 'SERVER', text: ({ host }) => host, isMinor: true },
    { title: 'SUBJECT', text: ({ subject }) => subject },
    { title: 'WHO', text: ({ who }) => who ?? '-' },
    { title: 'SINCE', text: ({ firstSeenAt }) => screen.time(firstSeenAt) },
  ])
  for (const { rule, host, reason } of findings.notChecked)
    screen.mark('failure', `not checked at ${host}: ${reason}`, rule)
}

function drawList<Row>(
  screen: Screen,
  part: string,
  { rows, total }: Listed<Row>,
  columns: readonly Column<Row>[],
): void {
  screen.heading(rows.length < total ? `${part}: ${rows.length} of ${total}` : part)
  screen.table(
    rows,
    screen.isTerminal ? columns : [{ title: 'PART', text: () => part }, ...columns],
    'none',
  )
}
