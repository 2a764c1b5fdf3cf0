import { refusedEvidence, tellRefused } from '../refused.js'
import { selectSquatters } from '../refusal-store.js'
import { defineRule } from '../types.js'

/** Refused by requirement 1 or 3: the key of one installation came with a device of another. */
export const squatter = defineRule({
  kind: 'squatter',
  severity: 'error',
  summary: 'shows the API key of another installation than the one where it stands',
  help:
    'A logger was carried to another plant without the mobile app, or the API key of one plant is in use at ' +
    'another. The finding is at the installation of the key. Have the device installed where it stands, or ' +
    'rotate the key.',
  filters: ['installation', 'batch'],
  select: selectSquatters,
  found: (row) => ({
    serial: row.serial,
    installation: row.installation,
    evidence: {
      ...refusedEvidence(row),
      standsAt: row.standsAt,
      standsSince: row.standsSince.toISOString(),
    },
    next: `cleverctl device show ${row.serial}`,
  }),
  tell: (evidence, time) => `stands at ${evidence.standsAt}, ${tellRefused(evidence, time)}`,
})
