import { foundLine, isOverNetwork, letsIn } from '../hba-found.js'
import { defineRule } from '../types.js'

/** A rule by which the whole server can be copied. */
export const replicationRule = defineRule({
  id: 'replication-rule',
  severity: 'critical',
  summary: 'a rule for replication is not hostssl with scram-sha-256 or cert',
  help: 'Replication copies all data. It is allowed over TLS alone, with a proof that cannot be stolen.',
  references: ['NIST SC-8', 'ISO 27001 A.8.24'],
  needs: ['hba'],
  find: ({ hba }) =>
    hba.rules
      .filter((rule) => isOverNetwork(rule) && letsIn(rule))
      .filter(({ databases }) =>
        databases.some(({ text, isQuoted }) => text === 'replication' && !isQuoted),
      )
      .filter(
        ({ type, method }) => type !== 'hostssl' || !['scram-sha-256', 'cert'].includes(method),
      )
      .map((rule) =>
        foundLine(rule, {
          evidence: 'lets in for replication',
          better: 'use hostssl and scram-sha-256 or cert',
        }),
      ),
})
