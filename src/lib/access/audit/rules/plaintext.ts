import { foundLine, isOverNetwork, letsIn } from '../hba-found.js'
import { defineRule } from '../types.js'

/** A rule that lets somebody in over the network without TLS. */
export const plaintext = defineRule({
  id: 'plaintext',
  severity: 'critical',
  summary: 'a rule lets in over the network without encryption',
  help: 'A rule of type host or hostnossl takes connections that everybody on the way can read.',
  references: ['NIST SC-8', 'ISO 27001 A.8.24', 'CIS PostgreSQL 5.8'],
  needs: ['hba'],
  find: ({ hba }) =>
    hba.rules
      .filter((rule) => isOverNetwork(rule) && letsIn(rule))
      .filter(({ type }) => type !== 'hostssl' && type !== 'hostgssenc')
      .map((rule) =>
        foundLine(rule, { evidence: 'takes connections without TLS', better: 'use hostssl' }),
      ),
})
