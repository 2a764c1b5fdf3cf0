import { foundLine } from '../hba-found.js'
import { deadRules, REACH_PARTS } from '../reach.js'
import { defineRule } from '../types.js'

/** A rule that somebody relies on in vain. */
export const deadRule = defineRule({
  id: 'dead-rule',
  severity: 'medium',
  summary: 'a rule never decides, because earlier ones do',
  help: 'A reject behind a rule that lets in keeps nobody out; a certificate behind a password is never asked for.',
  references: ['NIST AC-3', 'ISO 27001 A.8.9'],
  needs: REACH_PARTS,
  whyIncomplete: ({ hba: { interfaces } }) =>
    interfaces instanceof Error
      ? `which addresses samehost and samenet stand for cannot be read: ${interfaces.message}`
      : undefined,
  find: (parts) =>
    deadRules(parts).map((rule) =>
      foundLine(rule, { evidence: 'is never the first that matches' }),
    ),
})
