import { foundAttribute } from '../role-found.js'
import { defineRule } from '../types.js'

/** BYPASSRLS. */
export const bypassRowSecurity = defineRule({
  id: 'bypass-row-security',
  severity: 'high',
  summary: 'a role sees every row whatever row security says',
  help: 'BYPASSRLS makes row security void for this role.',
  references: ['NIST AC-3', 'ISO 27001 A.8.3', 'CIS PostgreSQL 4.7'],
  needs: ['roles'],
  find: ({ roles }) =>
    roles
      .filter((role) => !role.isSuperuser && role.bypassesRowSecurity)
      .map(({ name }) =>
        foundAttribute(name, { evidence: 'has BYPASSRLS', from: 'bypassrls', to: 'nobypassrls' }),
      ),
})
