import { defineRule, quoteName } from '../types.js'

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
      .map(({ name }) => ({
        subject: `role ${name}`,
        role: name,
        evidence: 'has no connection limit',
        fix: `alter role ${quoteName(name)} connection limit 10`,
        undo: `alter role ${quoteName(name)} connection limit -1`,
      })),
})
