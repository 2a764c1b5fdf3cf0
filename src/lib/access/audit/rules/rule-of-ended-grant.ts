import { foundLine, letsIn } from '../hba-found.js'
import { defineRule } from '../types.js'

/** A rule that outlived its grant. */
export const ruleOfEndedGrant = defineRule({
  id: 'rule-of-ended-grant',
  severity: 'medium',
  summary: 'a rule names a role that was granted, and no such grant is in force',
  help: 'The role stays on the server, closed. Whoever opens it again is let in by such a rule.',
  references: ['NIST AC-2', 'ISO 27001 A.5.18'],
  needs: ['hba'],
  find: ({ hba }, list) =>
    hba.rules.filter(letsIn).flatMap((rule) => {
      const role = rule.users
        .map(({ text }) => text)
        .find((name) => list.isOfGrant(name) && !list.isValid(name))
      if (role === undefined) return []
      return [foundLine(rule, { role, evidence: `no grant of ${role} is in force` })]
    }),
})
