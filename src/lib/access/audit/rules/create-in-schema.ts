import { foundGrant } from '../grant-found.js'
import { defineRule } from '../types.js'

/** Somebody may put a function where others look for theirs. */
export const createInSchema = defineRule({
  id: 'create-in-schema',
  severity: 'high',
  summary: 'a role that can log in may make objects in a schema of somebody else',
  help: 'What it makes there is called by others who trust their search path. Service accounts are named, too.',
  references: ['NIST AC-6', 'ISO 27001 A.8.3'],
  needs: ['roles', 'database', 'grants'],
  find: ({ roles, database, grants }) => {
    const logins = new Set(roles.filter(({ canLogin }) => canLogin).map(({ name }) => name))
    return grants
      .filter(
        ({ kind, grantee, privilege }) =>
          kind === 'schema' && privilege === 'CREATE' && grantee !== null && logins.has(grantee),
      )
      .map((grant) => foundGrant(grant, database, `CREATE is granted to ${grant.grantee}`))
  },
})
