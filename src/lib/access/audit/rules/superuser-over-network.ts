import { foundLine } from '../hba-found.js'
import { REACH_PARTS, rulesThatLetIn } from '../reach.js'
import { defineRule, quoteName } from '../types.js'

/** A superuser who need not be on the machine. */
export const superuserOverNetwork = defineRule({
  id: 'superuser-over-network',
  severity: 'critical',
  summary: 'a superuser is let in over the network',
  help:
    'The first rule that is about a connection decides. Every superuser is tried with every database, from ' +
    'an address that stands for each kind, with TLS and without. Host names may let in, and so may samenet where it is not known.',
  references: ['NIST AC-17', 'ISO 27001 A.8.2', 'CIS PostgreSQL 5.11'],
  needs: REACH_PARTS,
  find: (parts) =>
    parts.roles
      .filter(({ canLogin, isSuperuser }) => canLogin && isSuperuser)
      .flatMap(({ name }) =>
        [...rulesThatLetIn(parts, name)].map((rule) =>
          foundLine(rule, {
            role: name,
            evidence: `lets in superuser ${name}`,
            better: `put before it: host all ${quoteName(name)} all reject`,
          }),
        ),
      ),
})
