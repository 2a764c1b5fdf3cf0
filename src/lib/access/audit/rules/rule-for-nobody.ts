import { foundLine, letsIn } from '../hba-found.js'
import { defineRule } from '../types.js'

/** A rule that waits for a role or database to be made. */
export const ruleForNobody = defineRule({
  id: 'rule-for-nobody',
  severity: 'medium',
  summary: 'a rule names a role or database that does not exist',
  help: 'Whoever is given that name next is let in. Expressions of PostgreSQL 16 are not looked at.',
  references: ['NIST AC-2', 'ISO 27001 A.5.18'],
  needs: ['hba', 'roles', 'databases'],
  find: ({ hba, roles, databases }) => {
    const roleNames = new Set(roles.map(({ name }) => name))
    const databaseNames = new Set(databases.map(({ name }) => name))
    const keywords = ['all', 'sameuser', 'samerole', 'samegroup', 'replication']
    return hba.rules.filter(letsIn).flatMap((rule) => {
      const missing = [
        ...rule.users
          .map(({ text, isQuoted }) => (isQuoted ? text : text.replace(/^\+/, '')))
          .filter((name) => name !== 'all' && !/^(\/|pg_)/.test(name) && !roleNames.has(name)),
        ...rule.databases
          .filter(({ text, isQuoted }) => isQuoted || !keywords.includes(text))
          .map(({ text }) => text)
          .filter((name) => !name.startsWith('/') && !databaseNames.has(name)),
      ]
      return missing.length === 0
        ? []
        : [foundLine(rule, { evidence: `there is no ${missing.join(', no ')}` })]
    })
  },
})
