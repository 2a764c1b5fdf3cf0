import { foundLine, isOverNetwork, letsIn } from '../hba-found.js'
import { defineRule } from '../types.js'

/** A rule for whoever comes to whatever database. */
export const everybody = defineRule({
  id: 'everybody',
  severity: 'high',
  summary: 'a rule is about all roles or all databases',
  help: 'A role or database that is made tomorrow is let in by such a rule at once.',
  references: ['NIST AC-3', 'ISO 27001 A.8.3', 'CIS PostgreSQL 5.10'],
  needs: ['hba'],
  find: ({ hba }) =>
    hba.rules
      .filter((rule) => isOverNetwork(rule) && letsIn(rule))
      .filter(({ users, databases }) =>
        [...users, ...databases].some(({ text, isQuoted }) => text === 'all' && !isQuoted),
      )
      .map((rule) =>
        foundLine(rule, { evidence: 'is about all', better: 'name the roles and the databases' }),
      ),
})
