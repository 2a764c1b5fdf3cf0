import { foundGrant } from '../grant-found.js'
import { defineRule, quoteGrantee } from '../types.js'

/** Whoever has it hands it on. */
export const grantOption = defineRule({
  id: 'grant-option',
  severity: 'medium',
  summary: 'a role that is not the owner may give a right to others',
  help: 'Looked at on schemas, tables, sequences and functions.',
  references: ['NIST AC-6', 'ISO 27001 A.5.18'],
  needs: ['database', 'grants'],
  find: ({ database, grants }) =>
    grants
      .filter(({ isGrantable }) => isGrantable)
      .map((grant) => ({
        ...foundGrant(grant, database, `${grant.grantee} may hand on ${grant.privilege}`),
        fix: `in ${database}: revoke grant option for ${grant.privilege.toLowerCase()} on ${grant.kind} ${grant.name} from ${quoteGrantee(grant.grantee)}`,
      })),
})
