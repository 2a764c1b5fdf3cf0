import type { AccessReport, ReportedDrill, TrailPart } from '../types.js'
import { moment, table, word, type Section } from './elements.js'
import { html, type Markup } from './markup.js'

const RESULTS = { proven: 'good', failed: 'critical', 'not-checked': 'high' } as const

/** Backups and snapshots, and the drills that prove them. */
export function estateSection({ drills, copies }: AccessReport): Section {
  const body = [
    table('Drills', drills, [
      { title: 'Copy', cell: ({ subject }) => subject, isName: true },
      { title: 'Kind', cell: ({ kind }) => kind },
      { title: 'Cluster', cell: ({ stanza }) => stanza },
      { title: 'Machine', cell: ({ host }) => host },
      { title: 'Ended', cell: ({ endedAt }) => moment(endedAt) },
      { title: 'Result', cell: resultOf },
      {
        title: 'Evidence',
        cell: ({ trailRow }) =>
          trailRow === null ? 'none' : `signed, row ${trailRow} of the trail`,
      },
    ]),
    table('Backups and snapshots', copies, [
      { title: 'Copy', cell: ({ subject }) => subject, isName: true },
      { title: 'Kind', cell: ({ kind }) => kind },
      { title: 'Cluster', cell: ({ stanza }) => stanza },
      { title: 'Made', cell: ({ at }) => moment(at) },
      { title: 'Content', cell: ({ content }) => content },
      { title: 'Proven', cell: ({ provenAt }) => (provenAt ? moment(provenAt) : 'never') },
    ]),
  ]
  return { id: 'copies', title: 'Backups and drills', body }
}

function resultOf({ result }: ReportedDrill): Markup {
  return word(RESULTS[result], result)
}

/** Whether what this report says of changes can be relied on. */
export function trailSection({
  isSound,
  rows,
  head,
  problems,
  unlistedProblems,
}: TrailPart): Section {
  const verdict = isSound
    ? html`<p>
        ${word('good', 'whole')}: the hashes of all ${rows} rows were computed anew and fit.
      </p>`
    : html`<p>
        ${word('critical', 'broken')}: changed by other hands. ${rows} rows were looked at.
      </p>`
  const body = [
    verdict,
    html`<p class="note">
      The last row is ${head.seq}; compare its hash with one kept elsewhere: ${head.hash}
    </p>`,
    isSound
      ? null
      : table('Problems', { rows: problems, total: problems.length + unlistedProblems }, [
          { title: 'Row', cell: ({ seq }) => seq, isName: true },
          { title: 'Kind', cell: ({ kind }) => kind },
          { title: 'Seen', cell: ({ explanation }) => explanation, isFree: true },
        ]),
  ]
  return { id: 'trail', title: 'The trail', body }
}
