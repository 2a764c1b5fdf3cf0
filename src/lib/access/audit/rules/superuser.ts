import { membersOf } from '../members.js'
import { foundAttribute, foundMembership } from '../role-found.js'
import { defineRule } from '../types.js'

/** A superuser too many. */
export const superuser = defineRule({
  id: 'superuser',
  severity: 'critical',
  summary:
    'a superuser beside the one that the server was made with, or a role that may become one',
  help: 'A superuser reads everything, alters every record and gets a shell on the machine. A member of one may become it by SET ROLE.',
  references: ['NIST AC-6', 'ISO 27001 A.8.2', 'CIS PostgreSQL 4.3'],
  needs: ['roles', 'memberships'],
  find: ({ roles, memberships }) => {
    const superusers = roles.filter((role) => role.isSuperuser)
    return [
      ...superusers
        .filter((role) => !role.isBootstrap)
        .map(({ name }) => {
          const evidence = 'is a superuser'
          return foundAttribute(name, { evidence, from: 'superuser', to: 'nosuperuser' })
        }),
      ...superusers.flatMap(({ name }) =>
        membersOf(memberships, name).map((direct) =>
          foundMembership(direct, `may become superuser ${name} as a member of ${direct.group}`),
        ),
      ),
    ]
  },
})
