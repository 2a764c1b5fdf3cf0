import { defineRule } from '../types.js'

/** Whoever is somebody else outside comes as a superuser. */
export const mappedSuperuser = defineRule({
  id: 'mapped-superuser',
  severity: 'high',
  summary: 'pg_ident.conf lets another name come as a superuser',
  help: 'Maps that no rule uses are passed over. Expressions, groups and the word all may be a superuser and count as one.',
  references: ['NIST IA-2', 'NIST AC-6', 'ISO 27001 A.8.2'],
  needs: ['identities', 'roles', 'hba'],
  find: ({ identities, roles, hba }) => {
    const superusers = new Set(roles.filter((role) => role.isSuperuser).map(({ name }) => name))
    const used = new Set(
      hba.rules.flatMap(({ options }) =>
        options.flatMap((option) => /^map=(.*)$/.exec(option)?.[1] ?? []),
      ),
    )
    return identities.flatMap(({ map, systemName, role }) => {
      if (systemName === null || role === null || systemName === role || !used.has(map)) return []
      if (!superusers.has(role) && !/^([/+]|all$)|\\1/.test(role)) return []
      return [
        {
          subject: `map ${map}`,
          role: superusers.has(role) ? role : null,
          evidence: `${systemName} may come as ${role}`,
          fix: `pg_ident.conf: take out ${map} ${systemName} ${role}, then select pg_reload_conf()`,
          undo: `pg_ident.conf: ${map} ${systemName} ${role}`,
        },
      ]
    })
  },
})
