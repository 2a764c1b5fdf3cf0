import { foundLogin } from '../role-found.js'
import { defineRule, type AccessList } from '../types.js'

/** A login that nobody on the list has. */
export const roleNobody = defineRule({
  id: 'role-nobody',
  severity: 'critical',
  summary: 'a role that can log in is nobody on the list',
  help: 'Every role that can log in speaks for a person or a service account that is on the list today. Whoever was removed, or whose last day is past, is named.',
  references: ['NIST AC-2', 'ISO 27001 A.5.16', 'CIS PostgreSQL 4.4'],
  needs: ['roles'],
  find: ({ roles }, list) =>
    roles
      .filter((role) => role.canLogin && !list.isValid(role.name))
      .map(({ name }) => foundLogin(name, `can log in; ${standing(list, name)}`)),
})

function standing(list: AccessList, role: string): string {
  const holder = list.holderOf(role)
  if (!holder) return 'nobody on the list has this role'
  if (holder.removedAt)
    return `${holder.handle} was removed on ${holder.removedAt.toISOString().slice(0, 10)}`
  return `the last day of ${holder.handle} was ${holder.until}`
}
