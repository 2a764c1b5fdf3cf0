import { decidingRules } from '../../hba/match.js'
import { attempts, REACH_PARTS } from '../reach.js'
import { hbaFacts } from '../server.js'
import { foundLogin } from '../role-found.js'
import { defineRule } from '../types.js'

/** Methods that ask for a password, which is all that VALID UNTIL ends. */
const WITH_PASSWORD = ['scram-sha-256', 'md5', 'password']

/** A login that its owner believes to be over. */
export const endWithoutEffect = defineRule({
  id: 'end-without-effect',
  severity: 'high',
  summary: 'a role whose validity is over is still let in without a password',
  help: 'VALID UNTIL ends a password and nothing else: a certificate, peer and trust let in for ever.',
  references: ['NIST AC-2', 'NIST IA-5', 'ISO 27001 A.5.18'],
  needs: REACH_PARTS,
  find: (parts, list) => {
    const facts = hbaFacts(parts)
    return parts.roles
      .filter(
        ({ canLogin, validUntil }) => canLogin && validUntil !== null && validUntil < list.now,
      )
      .flatMap(({ name, validUntil }) => {
        const rules = [...attempts(parts, [name])].flatMap((attempt) =>
          decidingRules(parts.hba.rules, attempt, facts),
        )
        const way = rules.find(
          (rule) =>
            rule !== null && rule.method !== 'reject' && !WITH_PASSWORD.includes(rule.method),
        )
        if (!way) return []
        const evidence = `was valid until ${validUntil?.toISOString()}, and line ${way.line} lets it in by ${way.method}`
        return [foundLogin(name, evidence)]
      })
  },
})
