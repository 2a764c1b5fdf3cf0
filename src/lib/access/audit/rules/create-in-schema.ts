import { foundGrant } from '../grant-found.js'
import { holdersOf } from '../members.js'
import { defineRule } from '../types.js'

/** Somebody may put a function where others look for theirs. */
export const createInSchema = defineRule({
  id: 'create-in-schema',
  severity: 'high',
  summary: 'a role that can log in may make objects in a schema of somebody else',
  help: 'What it makes there is called by others who trust their search path. Service accounts are named, too, and members of the role that has the right.',
  references: ['NIST AC-6', 'ISO 27001 A.8.3'],
  needs: ['roles', 'memberships', 'database', 'grants'],
  find: ({ roles, memberships, database, grants }) => {
    const logins = new Set(roles.filter(({ canLogin }) => canLogin).map(({ name }) => name))
    return grants
      .filter(
        ({ kind, grantee, privilege }) =>
          kind === 'schema' && privilege === 'CREATE' && grantee !== null,
      )
      .flatMap((grant) =>
        holdersOf(memberships, 'CREATE', grant.grantee)
          .filter(({ role }) => role !== null && logins.has(role))
          .map(({ role, evidence }) => ({ ...foundGrant(grant, database, evidence), role })),
      )
  },
})
