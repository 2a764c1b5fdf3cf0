import type { ShownSession } from '../../sessions/types.js'
import { barChart, type Series } from '../charts.js'
import type { Listed, PersonSeen, SessionsPart } from '../types.js'
import { code, figure, moment, table, word, type Section } from './elements.js'
import { html, type Markup } from './markup.js'

/** Who was in, from where and when. */
export async function sessionsSection(part: SessionsPart): Promise<Section> {
  const { recordedSince, total, flagged, people, latest, ledger } = part
  const body =
    recordedSince === null
      ? html`<p>
          No session was kept yet, so nothing is known of who was in: cleverctl access sessions
          --record.
        </p>`
      : html`<p>
            Connections in this time: ${total}, of which stand out: ${flagged}. Kept since
            ${moment(recordedSince)}.
            ${
              ledger.isSound
                ? word('good', 'The ledger is whole.')
                : word('critical', 'The ledger was changed by other hands.')
            }
          </p>
          ${await sessionsFigure(part)} ${peopleTable(people)} ${latestTable(latest)}`
  return { id: 'sessions', title: 'Who was in', body }
}

async function sessionsFigure({ overTime, step, total, flagged }: SessionsPart): Promise<Markup> {
  const kinds = [
    ['expected', 'as it should be'],
    ['flagged', 'stands out'],
    ['refused', 'refused'],
  ] as const
  const steps = overTime.map(({ from }) => from)
  const series: Series[] = kinds.map(([kind, name]) => ({
    name,
    colour: kind,
    values: overTime.map((at) => at[kind]),
  }))
  const summary = `Connections: ${total}, of which stand out: ${flagged}; each ${step} by when they began.`
  return figure(
    { title: 'Connections', summary, chart: await barChart(steps, series) },
    steps,
    series,
  )
}

function peopleTable(people: Listed<PersonSeen>): Markup {
  return table('People and service accounts', people, [
    { title: 'Who', cell: ({ who }) => who ?? 'not let in', isName: true, isFree: true },
    { title: 'Sessions', cell: ({ sessions }) => sessions, isNumber: true },
    { title: 'Refused', cell: ({ refused }) => refused, isNumber: true },
    { title: 'Stand out', cell: ({ flagged }) => flagged, isNumber: true },
    {
      title: 'From',
      cell: ({ addresses, places }) =>
        `${addresses.join(', ')}${places > addresses.length ? `, ${places} in all` : ''}`,
      isFree: true,
    },
    { title: 'Last', cell: ({ lastAt }) => moment(lastAt) },
  ])
}

function latestTable(latest: Listed<ShownSession>): Markup {
  return table('Connections, those that stand out before the others', latest, [
    { title: 'Who', cell: ({ who }) => who ?? 'not let in', isName: true, isFree: true },
    { title: 'From', cell: ({ address }) => address ?? 'unix socket', isFree: true },
    { title: 'Began', cell: ({ start }) => moment(start) },
    { title: 'Ended', cell: ({ end }) => moment(end) },
    {
      title: 'Role and database',
      cell: ({ role, database, server }) =>
        html`${role ?? '–'} in ${database ?? '–'} ${code(server)}`,
      isFree: true,
    },
    {
      title: 'Proof',
      cell: ({ method, tls }) => html`${method ?? '–'}, ${tls ?? 'no TLS'}`,
      isFree: true,
    },
    { title: 'Application', cell: ({ application }) => application ?? '–', isFree: true },
    {
      title: 'Stands out',
      cell: ({ flags, outcome }) =>
        flags.length === 0 ? outcome : flags.map((flag) => html`${word('high', flag)} `),
    },
  ])
}
