import { foundProbe } from '../probe-found.js'
import { defineRule } from '../types.js'

/** The server does something else than its rules say. */
export const probeDiffers = defineRule({
  id: 'probe-differs',
  severity: 'critical',
  summary: 'a connection that was tried went otherwise than pg_hba.conf says',
  help: 'The file was not loaded, something stands between, or the simulation is wrong.',
  references: ['NIST CA-8', 'NIST CM-6', 'ISO 27001 A.8.9'],
  needs: ['probes'],
  find: ({ probes }) =>
    probes
      .filter(({ reach, expected }) => !expected.includes(reach))
      .map((probe) => foundProbe(probe, `the rules say ${probe.expected.join(' or ')}`)),
})
