import { foundAttribute } from '../role-found.js'
import { defineRule } from '../types.js'

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
      .map(({ name, canCreateRoles, canCreateDatabases }) => {
        const words = [
          ...(canCreateRoles ? ['createrole'] : []),
          ...(canCreateDatabases ? ['createdb'] : []),
        ]
        return foundAttribute(name, {
          evidence: `has ${words.map((word) => word.toUpperCase()).join(' and ')}`,
          from: words.join(' '),
          to: words.map((word) => `no${word}`).join(' '),
        })
      }),
})
