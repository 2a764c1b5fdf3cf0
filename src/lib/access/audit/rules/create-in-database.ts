import { holdersOf } from '../members.js'
import { defineRule, quoteGrantee, quoteName } from '../types.js'

/** Somebody may make schemas of their own. */
export const createInDatabase = defineRule({
  id: 'create-in-database',
  severity: 'high',
  summary: 'a role that can log in may make schemas in a database of somebody else',
  help: 'CREATE on a database is for schemas, publications and trusted extensions. Members of the role that has the right are named, too.',
  references: ['NIST AC-6', 'ISO 27001 A.8.3'],
  needs: ['roles', 'memberships', 'databases'],
  find: ({ roles, memberships, databases }) => {
    const logins = new Set(roles.filter(({ canLogin }) => canLogin).map(({ name }) => name))
    return databases.flatMap(({ name, creators }) =>
      creators.flatMap((grantee) => {
        const whom = quoteGrantee(grantee)
        return holdersOf(memberships, 'CREATE', grantee)
          .filter(({ role }) => role === null || logins.has(role))
          .map(({ role, evidence }) => ({
            subject: `database ${name}`,
            role,
            evidence,
            fix: `revoke create on database ${quoteName(name)} from ${whom}`,
            undo: `grant create on database ${quoteName(name)} to ${whom}`,
          }))
      }),
    )
  },
})
