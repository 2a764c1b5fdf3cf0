import { defineRule, quoteName } from '../types.js'

/** A superuser too many. */
export const superuser = defineRule({
  id: 'superuser',
  severity: 'critical',
  summary: 'a superuser beside the one that the server was made with',
  help: 'A superuser reads everything, alters every record and gets a shell on the machine.',
  references: ['NIST AC-6', 'ISO 27001 A.8.2', 'CIS PostgreSQL 4.3'],
  needs: ['roles'],
  find: ({ roles }) =>
    roles
      .filter((role) => role.isSuperuser && !role.isBootstrap)
      .map(({ name }) => ({
        subject: `role ${name}`,
        role: name,
        evidence: 'is a superuser',
        fix: `alter role ${quoteName(name)} nosuperuser`,
        undo: `alter role ${quoteName(name)} superuser`,
      })),
})
