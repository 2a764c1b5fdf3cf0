import { defineRule } from '../types.js'

/** An owner who can log in sees every row. */
export const rowSecurityNotForced = defineRule({
  id: 'row-security-not-forced',
  severity: 'medium',
  summary:
    'row security of a table does not hold its owner, who can log in and is no service account',
  help: 'Row security passes an owner by until it is forced. Superusers are never held by it.',
  references: ['NIST AC-3', 'ISO 27001 A.8.3', 'CIS PostgreSQL 4.7'],
  needs: ['roles', 'database', 'unforcedTables'],
  find: ({ roles, database, unforcedTables }, list) => {
    const logins = roles.filter(({ canLogin, isSuperuser }) => canLogin && !isSuperuser)
    const names = new Set(logins.map(({ name }) => name))
    return unforcedTables
      .filter(({ owner }) => names.has(owner) && list.holderOf(owner)?.kind !== 'service-account')
      .map(({ name, owner }) => ({
        subject: `table ${name} in ${database}`,
        role: owner,
        evidence: `row security is not forced on its owner ${owner}`,
        fix: `in ${database}: alter table ${name} force row level security`,
        undo: `in ${database}: alter table ${name} no force row level security`,
      }))
  },
})
