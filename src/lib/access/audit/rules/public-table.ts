import { foundGrant } from '../grant-found.js'
import { defineRule } from '../types.js'

/** Everybody who is in may read or change it. */
export const publicTable = defineRule({
  id: 'public-table',
  severity: 'high',
  summary: 'every role has a right on a table, view, sequence or large object',
  help: 'Rights that PostgreSQL and its extensions bring along are passed over; those on single columns are not seen.',
  references: ['NIST AC-3', 'ISO 27001 A.8.3', 'CIS PostgreSQL 4.6'],
  needs: ['database', 'grants'],
  find: ({ database, grants }) =>
    grants
      .filter(
        ({ kind, grantee }) =>
          (kind === 'table' || kind === 'sequence' || kind === 'large object') && grantee === null,
      )
      .map((grant) => foundGrant(grant, database, `${grant.privilege} is granted to PUBLIC`)),
})
