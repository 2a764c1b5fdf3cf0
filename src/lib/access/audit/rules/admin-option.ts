import { defineRule, quoteName } from '../types.js'

/** Whoever has ADMIN OPTION lets others into a role. */
export const adminOption = defineRule({
  id: 'admin-option',
  severity: 'high',
  summary: 'a role may make others members of a role',
  help: 'ADMIN OPTION lets its holder hand a role on, to anybody and without a trace on the list.',
  references: ['NIST AC-6', 'ISO 27001 A.5.18'],
  needs: ['memberships'],
  find: ({ memberships }) =>
    memberships
      .filter(({ member, isAdmin }) => isAdmin && !member.startsWith('pg_'))
      .map(({ member, group }) => ({
        subject: `role ${member}`,
        role: member,
        evidence: `has ADMIN OPTION on ${group}`,
        fix: `revoke admin option for ${quoteName(group)} from ${quoteName(member)}`,
        undo: `grant ${quoteName(group)} to ${quoteName(member)} with admin option`,
        mending: { kind: 'membership', from: `admin of ${group}`, to: `member of ${group}` },
      })),
})
