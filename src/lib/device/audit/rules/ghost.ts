import { changeKey, refusedEvidence, tellRefused } from '../refused.js'
import { selectGhosts } from '../refusal-store.js'
import { defineRule } from '../types.js'

/** Refused by requirement 2: whoever sends has an API key, and a serial that nobody registered. */
export const ghost = defineRule({
  kind: 'ghost',
  severity: 'error',
  summary: 'sends, but was never manufactured',
  help:
    'Somebody has the API key of an installation and names a serial that is not registered. A logger of ours ' +
    'that the factory forgot is registered with cleverctl device register; otherwise the key has leaked. ' +
    'Without a serial: what was sent was none, or there were too many to tell them apart.',
  filters: ['installation'],
  select: selectGhosts,
  found: (row) => ({
    serial: row.serial,
    installation: row.installation,
    evidence: refusedEvidence(row),
    next: changeKey(row.installation),
  }),
  tell: tellRefused,
})
