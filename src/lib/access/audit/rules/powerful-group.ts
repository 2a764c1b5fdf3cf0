import { defineRule, quoteName } from '../types.js'

/** Roles of PostgreSQL that amount to a superuser, or to reading or stopping everything. */
const POWERFUL = [
  'pg_execute_server_program',
  'pg_read_server_files',
  'pg_write_server_files',
  'pg_read_all_data',
  'pg_write_all_data',
  'pg_signal_backend',
]

/** Membership in a role that PostgreSQL brings along. */
export const powerfulGroup = defineRule({
  id: 'powerful-group',
  severity: 'critical',
  summary: 'a role is a member of a powerful role of PostgreSQL',
  help: `Direct members of ${POWERFUL.join(', ')}; whoever is a member of such a member has the same power.`,
  references: ['NIST AC-6', 'ISO 27001 A.8.2', 'CIS PostgreSQL 4.9'],
  needs: ['memberships'],
  find: ({ memberships }) =>
    memberships
      .filter(({ member, group }) => POWERFUL.includes(group) && !member.startsWith('pg_'))
      .map(({ member, group }) => ({
        subject: `role ${member}`,
        role: member,
        evidence: `is a member of ${group}`,
        fix: `revoke ${group} from ${quoteName(member)}`,
        undo: `grant ${group} to ${quoteName(member)}`,
      })),
})
