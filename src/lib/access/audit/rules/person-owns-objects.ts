import { defineRule, quoteName } from '../types.js'

/** An owner is not held by grants. */
export const personOwnsObjects = defineRule({
  id: 'person-owns-objects',
  severity: 'medium',
  summary: 'a role that is no service account owns tables, functions or schemas',
  help: 'An owner gives rights away, and is held neither by grants nor by row security that is not forced.',
  references: ['NIST AC-6', 'ISO 27001 A.5.15'],
  needs: ['roles', 'database', 'owners'],
  find: ({ roles, database, owners }, list) => {
    const logins = new Set(roles.filter(({ canLogin }) => canLogin).map(({ name }) => name))
    return owners
      .filter(({ role }) => logins.has(role) && list.holderOf(role)?.kind !== 'service-account')
      .map(({ role, count, example }) => ({
        subject: `role ${role} in ${database}`,
        role,
        evidence: `owns ${count === 1 ? example : `${count} objects, ${example} among them`}`,
        fix: `in ${database}: reassign owned by ${quoteName(role)} to a role that cannot log in`,
        undo: `alter each object owner to ${quoteName(role)}`,
      }))
  },
})
