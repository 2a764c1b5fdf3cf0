import { foundLine } from '../hba-found.js'
import { defineRule } from '../types.js'

/** Methods that prove nothing, or send what can be stolen. */
const WEAK = ['trust', 'password', 'md5', 'ident']

/** A rule that lets somebody in without proof. */
export const weakMethod = defineRule({
  id: 'weak-method',
  severity: 'critical',
  summary: 'a rule asks for no proof, or for one that can be stolen',
  help: `Methods: ${WEAK.join(', ')}.`,
  references: ['NIST IA-2', 'ISO 27001 A.8.5', 'CIS PostgreSQL 5.3'],
  needs: ['hba'],
  find: ({ hba }) =>
    hba.rules
      .filter(({ method }) => WEAK.includes(method))
      .map((rule) =>
        foundLine(rule, {
          evidence: `lets in by ${rule.method}`,
          better: rule.type === 'local' ? 'use peer' : 'use scram-sha-256 or cert',
        }),
      ),
})
