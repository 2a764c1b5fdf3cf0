import { defineRule, quoteName } from '../types.js'

/** CREATEROLE and CREATEDB. */
export const createRole = defineRule({
  id: 'create-role',
  severity: 'critical',
  summary: 'a role can make roles or databases',
  help: 'Before PostgreSQL 16 a role with CREATEROLE can give itself nearly any other, programs on the server included.',
  references: ['NIST AC-6', 'ISO 27001 A.8.2'],
  needs: ['roles'],
  find: ({ roles }) =>
    roles
      .filter((role) => !role.isSuperuser && (role.canCreateRoles || role.canCreateDatabases))
      .map(({ name }) => ({
        subject: `role ${name}`,
        role: name,
        evidence: 'has CREATEROLE or CREATEDB',
        fix: `alter role ${quoteName(name)} nocreaterole nocreatedb`,
        undo: `alter role ${quoteName(name)} createrole createdb`,
      })),
})
