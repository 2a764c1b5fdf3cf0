import { foundGrant } from '../grant-found.js'
import { defineRule } from '../types.js'

/** Everybody may put a function where others look for theirs. */
export const publicSchema = defineRule({
  id: 'public-schema',
  severity: 'high',
  summary: 'every role may make objects in a schema',
  help: 'Before PostgreSQL 15 the schema public was so. USAGE alone is no finding.',
  references: ['NIST AC-6', 'ISO 27001 A.8.3', 'CIS PostgreSQL 4.10'],
  needs: ['database', 'grants'],
  find: ({ database, grants }) =>
    grants
      .filter(
        ({ kind, grantee, privilege }) =>
          kind === 'schema' && grantee === null && privilege === 'CREATE',
      )
      .map((grant) => foundGrant(grant, database, 'CREATE is granted to PUBLIC')),
})
