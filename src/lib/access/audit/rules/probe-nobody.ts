import { foundProbe } from '../probe-found.js'
import { defineRule } from '../types.js'

/** The server listens to somebody who is nobody. */
export const probeNobody = defineRule({
  id: 'probe-nobody',
  severity: 'critical',
  summary: 'somebody who is not on the list was not refused',
  help: 'Tried from this machine as every role that is not on the list today, and as one that does not exist.',
  references: ['NIST AC-2', 'NIST CA-8', 'ISO 27001 A.5.16'],
  needs: ['probes'],
  find: ({ probes }, list) =>
    probes
      .filter(({ attempt, reach }) => !list.isValid(attempt.role) && reach !== 'refused')
      .map((probe) => foundProbe(probe, 'not on the list')),
})
