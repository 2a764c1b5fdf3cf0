import { formatDuration } from '../../../duration.js'
import { selectSkewed } from '../sighting-store.js'
import { defineRule } from '../types.js'

/** One late arrival proves nothing: readings may have waited for a connection. So many of a day do. */
const ENOUGH_ARRIVALS = 12

/** A device whose readings bear a wrong time. */
export const clockLiar = defineRule({
  kind: 'clock-liar',
  severity: 'warning',
  summary: 'has a clock that is wrong',
  help:
    'Ahead: a reading came from the future. Behind: in a whole day no arrival had a reading that was young ' +
    `enough, and there were ${ENOUGH_ARRIVALS} at least. The gate refuses readings from more than an hour ` +
    'ahead before they are seen here. A logger sets its clock by the Date of any answer of the gate.',
  filters: ['installation', 'batch'],
  select: (database, scope) => selectSkewed(database, scope, ENOUGH_ARRIVALS),
  found: ({ serial, installation, day, leadMs, arrivals }) => ({
    serial,
    installation,
    evidence: {
      direction: leadMs > 0 ? 'ahead' : 'behind',
      skewMs: Math.abs(leadMs),
      day,
      arrivals,
    },
    next: "have its firmware set its clock by the Date of the gate's answers",
  }),
  tell: ({ direction, skewMs, day, arrivals }) =>
    `${formatDuration(wholeSeconds(skewMs))} ${direction} on ${day}, in ${arrivals} arrivals`,
})

function wholeSeconds(milliseconds: number): number {
  return Math.round(milliseconds / 1000) * 1000
}
