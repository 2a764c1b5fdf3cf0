import { foundAttribute } from '../role-found.js'
import { defineRule } from '../types.js'

/** What a login gets that has no limit. */
export const CONNECTION_LIMIT = 'connection limit 10'

/** A login that may take every connection. */
export const noConnectionLimit = defineRule({
  id: 'no-connection-limit',
  severity: 'medium',
  summary: 'a role may open any number of connections',
  help: 'Without a limit one login keeps all others out. Superusers are not held by it.',
  references: ['NIST AC-10', 'NIST SC-5', 'CIS PostgreSQL 5.5'],
  needs: ['roles'],
  find: ({ roles }) =>
    roles
      .filter(
        ({ canLogin, isSuperuser, connectionLimit }) =>
          canLogin && !isSuperuser && connectionLimit === null,
      )
      .map(({ name }) =>
        foundAttribute(name, {
          evidence: 'has no connection limit',
          from: 'connection limit -1',
          to: CONNECTION_LIMIT,
          kind: 'connection limit',
        }),
      ),
})
