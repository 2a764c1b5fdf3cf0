import { membersOf } from '../members.js'
import { foundMembership } from '../role-found.js'
import { defineRule } from '../types.js'

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
  help: `Members of ${POWERFUL.join(', ')}, directly or through other roles; but for what a grant in force gives.`,
  references: ['NIST AC-6', 'ISO 27001 A.8.2', 'CIS PostgreSQL 4.9'],
  needs: ['memberships'],
  find: ({ memberships }, list) =>
    POWERFUL.flatMap((powerful) =>
      membersOf(memberships, powerful)
        .filter(({ member }) => {
          const grant = list.grantOf(member)
          if (!grant) return true
          const isMeant =
            powerful === 'pg_read_all_data' ||
            (powerful === 'pg_write_all_data' && !grant.isReadOnly)
          return !isMeant
        })
        .map((direct) => {
          const further = direct.group === powerful ? '' : `, and so of ${powerful}`
          return foundMembership(direct, `is a member of ${direct.group}${further}`)
        }),
    ),
})
