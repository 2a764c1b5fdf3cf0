import { SEVERITIES } from '../../audit/types.js'
import type { AccessReport } from '../types.js'
import { html, type Markup } from './markup.js'

/** The figures that a reader wants first. */
export function glance({ sessions, findings, grants, drills, trail }: AccessReport): Markup {
  const { counts, servers, notChecked } = findings
  const inForce = grants.rows.filter(({ state }) => !['REQUESTED', 'ENDED'].includes(state)).length
  const proven = drills.rows.filter(({ result }) => result === 'proven').length
  const isKept = sessions.recordedSince !== null
  const figures: [label: string, value: string | number][] = [
    isKept
      ? [`connections, ${sessions.flagged} stand out`, sessions.total]
      : ['of connections is known', 'nothing'],
    ...(servers.length === 0
      ? [['of findings is known', 'nothing'] as [string, string]]
      : SEVERITIES.map((severity): [string, number] => [
          `${severity} findings open`,
          counts[severity],
        ])),
    ['checks not carried out', servers.length === 0 ? 'all' : notChecked.length],
    ['grants in force', inForce],
    ['drills that proved the data', `${proven} of ${drills.rows.length}`],
    ['the trail', trail.isSound ? 'whole' : 'broken'],
  ]
  return html`<dl class="figures" aria-label="At a glance">
    ${figures.map(
      ([label, value]) =>
        html`<div>
          <dt>${label}</dt>
          <dd>${value}</dd>
        </div> `,
    )}
  </dl>`
}
