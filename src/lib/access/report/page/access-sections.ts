import type { Acceptance } from '../../acceptance/types.js'
import type { NotChecked, Severity } from '../../audit/types.js'
import { barChart, type Series } from '../charts.js'
import type { AuditedServer, FindingsPart, Listed, OpenFinding, ReportedGrant } from '../types.js'
import { code, figure, moment, table, word, type Section } from './elements.js'
import { html, type Markup } from './markup.js'

/** What audits found: over time, by server, and each finding that stands. */
export async function findingsSection(part: FindingsPart): Promise<Section> {
  const { audits, gone, open, servers, notChecked } = part
  const body =
    servers.length === 0
      ? html`<p>No audit was kept yet, so nothing is known: cleverctl access audit.</p>`
      : html`<p>
            Audits in this time: ${audits}. Findings that went away: ${gone}, that stand:
            ${open.total}.
          </p>
          ${await findingsFigure(part)} ${serverTable(servers, notChecked)} ${openTable(open)}
          ${notCheckedTable(notChecked)}`
  return { id: 'findings', title: 'Findings', body }
}

async function findingsFigure({ overTime, step }: FindingsPart): Promise<Markup> {
  const kinds = ['critical', 'high', 'medium', 'accepted'] as const
  const steps = overTime.map(({ from }) => from)
  const series: Series[] = kinds.map((kind) => ({
    name: kind,
    colour: kind,
    values: overTime.map(({ open }) => open?.[kind] ?? null),
  }))
  const known = overTime.flatMap(({ open }) => (open ? [open] : []))
  const total = (at: Record<Severity, number> | undefined) =>
    at ? at.critical + at.high + at.medium : 0
  const summary = `Findings at first: ${total(known.at(0))}, at last: ${total(known.at(-1))}; counted at the end of each ${step}.`
  const chart = await barChart(steps, series)
  return figure({ title: 'Findings that stand, by severity', summary, chart }, steps, series)
}

function serverTable(servers: readonly AuditedServer[], gaps: readonly NotChecked[]): Markup {
  return table('Servers', { rows: servers, total: servers.length }, [
    { title: 'Server', cell: ({ host }) => host, isName: true, isFree: true },
    { title: 'Kind', cell: ({ isStandby }) => (isStandby ? 'standby' : 'primary') },
    { title: 'Last audit', cell: ({ auditedAt }) => moment(auditedAt) },
    { title: 'Kept by', cell: ({ recordedBy }) => recordedBy },
    {
      title: 'Not checked',
      cell: ({ host }) => gaps.filter((gap) => gap.host === host).length,
      isNumber: true,
    },
  ])
}

function openTable(open: Listed<OpenFinding>): Markup {
  return table('Findings that stand', open, [
    { title: 'Severity', cell: ({ severity }) => word(severity, severity) },
    { title: 'Rule', cell: ({ rule }) => rule, isName: true },
    { title: 'Who', cell: ({ who }) => who ?? '–' },
    {
      title: 'Subject and server',
      cell: ({ subject, host }) => html`${subject} ${code(host)}`,
      isFree: true,
    },
    { title: 'Since', cell: ({ firstSeenAt }) => moment(firstSeenAt) },
    {
      title: 'Seen, and what mends it',
      cell: ({ evidence, fix }) => html`${evidence} ${code(fix)}`,
      isFree: true,
    },
  ])
}

function notCheckedTable(gaps: readonly NotChecked[]): Markup {
  return table('What could not be checked', { rows: gaps, total: gaps.length }, [
    { title: 'Rule', cell: ({ rule }) => rule, isName: true },
    { title: 'Server', cell: ({ host }) => host, isFree: true },
    { title: 'Why', cell: ({ reason }) => reason, isFree: true },
  ])
}

/** Findings that somebody answers for. */
export function acceptancesSection(acceptances: readonly Acceptance[]): Section {
  const body = table('Accepted risks', { rows: acceptances, total: acceptances.length }, [
    { title: 'Rule', cell: ({ rule }) => rule, isName: true },
    { title: 'Subject', cell: ({ subject }) => subject, isFree: true },
    { title: 'Server', cell: ({ host }) => host ?? 'every server', isFree: true },
    { title: 'Who answers', cell: ({ owner }) => owner },
    { title: 'Reason', cell: ({ reason }) => reason, isFree: true },
    { title: 'Until', cell: ({ until }) => html`<time datetime="${until}">${until}</time>` },
    {
      title: 'State',
      cell: ({ state }) => word(state === 'valid' ? 'good' : 'medium', state),
    },
  ])
  return { id: 'accepted', title: 'Accepted risks', body }
}

/** Access for a limited time. @param now the moment of the report */
export function grantsSection(grants: Listed<ReportedGrant>, now: string): Section {
  const body = table('Grants', grants, [
    { title: 'Person', cell: ({ email }) => email, isName: true },
    { title: 'Databases', cell: ({ databases }) => databases.join(' '), isFree: true },
    { title: 'Rights', cell: ({ readOnly }) => (readOnly ? 'reading' : 'changing') },
    { title: 'Reason', cell: ({ reason }) => reason, isFree: true },
    { title: 'Given by', cell: giverOf, isFree: true },
    { title: 'From', cell: ({ grantedAt }) => moment(grantedAt) },
    { title: 'Until', cell: ({ endsAt }) => moment(endsAt) },
    { title: 'Ended', cell: ({ endedAt }) => moment(endedAt) },
    { title: 'State', cell: (grant) => grantState(grant, now) },
  ])
  return { id: 'grants', title: 'Access for a limited time', body }
}

/** Where two people were needed, both of them. */
function giverOf({ grantedBy, requestedBy, approvedBy }: ReportedGrant): string {
  if (requestedBy === null) return grantedBy ?? '–'
  return `${requestedBy} asked, ${approvedBy ?? 'nobody'} approved`
}

/** A grant whose time is over and that has not ended everywhere is what a reader must see. */
function grantState({ state, endsAt, endReason }: ReportedGrant, now: string): Markup {
  if (state === 'ENDED') return word('good', endReason ?? 'ended')
  if (state === 'REQUESTED') return word('medium', 'waits')
  return endsAt <= now ? word('critical', 'overdue') : word('high', 'in force')
}
