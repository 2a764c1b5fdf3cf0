import { membersOf } from '../members.js'
import { defineRule, quoteName } from '../types.js'

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
        .map(({ name }) => ({
          subject: `role ${name}`,
          role: name,
          evidence: 'is a superuser',
          fix: `alter role ${quoteName(name)} nosuperuser`,
          undo: `alter role ${quoteName(name)} superuser`,
        })),
      ...superusers
        .flatMap(({ name }) => membersOf(memberships, name))
        .map(({ member, group, through }) => ({
          subject: `role ${member}`,
          role: member,
          evidence: `may become superuser ${group} as a member of ${through}`,
          fix: `revoke ${quoteName(through)} from ${quoteName(member)}`,
          undo: `grant ${quoteName(through)} to ${quoteName(member)}`,
        })),
    ]
  },
})
