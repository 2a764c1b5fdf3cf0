import { foundGrant } from '../grant-found.js'
import { holdersOf } from '../members.js'
import { defineRule } from '../types.js'

/** Catalogs that PostgreSQL shows to superusers alone: password hashes, stored logins, samples of every table. */
const HIDDEN = [
  'pg_authid',
  'pg_largeobject',
  'pg_shadow',
  'pg_statistic',
  'pg_statistic_ext_data',
  'pg_subscription',
  'pg_user_mapping',
]

/** A right on what PostgreSQL keeps to superusers. */
export const hiddenCatalog = defineRule({
  id: 'hidden-catalog',
  severity: 'critical',
  summary: 'a role has a right on a catalog that PostgreSQL keeps to superusers',
  help: `Catalogs: ${HIDDEN.join(', ')}. What PUBLIC has is public-table.`,
  references: ['NIST AC-6', 'NIST IA-5', 'ISO 27001 A.5.17'],
  needs: ['memberships', 'database', 'grants'],
  find: ({ memberships, database, grants }) =>
    grants
      .filter(
        ({ kind, name, grantee }) => kind === 'table' && grantee !== null && HIDDEN.includes(name),
      )
      .flatMap((grant) =>
        holdersOf(memberships, grant.privilege, grant.grantee).map(({ role, evidence }) => ({
          ...foundGrant(grant, database, evidence),
          role,
        })),
      ),
})
