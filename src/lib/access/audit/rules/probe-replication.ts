import { foundProbe } from '../probe-found.js'
import { defineRule } from '../types.js'

/** The server may be copied by somebody who is no program. */
export const probeReplication = defineRule({
  id: 'probe-replication',
  severity: 'critical',
  summary: 'replication was not refused to somebody who is no service account',
  help: 'Tried from this machine as every role that can log in.',
  references: ['NIST AC-4', 'NIST CA-8', 'ISO 27001 A.8.20'],
  needs: ['probes'],
  find: ({ probes }, list) =>
    probes
      .filter(
        ({ attempt, reach }) =>
          attempt.database === undefined &&
          reach !== 'refused' &&
          list.holderOf(attempt.role)?.kind !== 'service-account',
      )
      .map((probe) => foundProbe(probe, 'no service account')),
})
