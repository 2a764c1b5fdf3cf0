import { foundProbe } from '../probe-found.js'
import { defineRule } from '../types.js'

/** The server talks to whoever does not encrypt. */
export const probePlaintext = defineRule({
  id: 'probe-plaintext',
  severity: 'critical',
  summary: 'a connection without TLS was not refused',
  help: 'Tried from this machine as every role that can log in. No password was sent.',
  references: ['NIST SC-8', 'NIST CA-8', 'ISO 27001 A.8.24'],
  needs: ['probes'],
  find: ({ probes }) =>
    probes
      .filter(({ attempt, reach }) => !attempt.isEncrypted && reach !== 'refused')
      .map((probe) => foundProbe(probe, 'without TLS')),
})
