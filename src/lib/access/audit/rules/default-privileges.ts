import { defineRule, quoteName } from '../types.js'

/** The next table is open. */
export const defaultPrivileges = defineRule({
  id: 'default-privileges',
  severity: 'high',
  summary: 'what a role makes is open to every role from the beginning',
  help: 'ALTER DEFAULT PRIVILEGES gives PUBLIC a right on objects that do not exist yet.',
  references: ['NIST AC-3', 'ISO 27001 A.8.3'],
  needs: ['database', 'defaultPrivileges'],
  find: (parts) =>
    parts.defaultPrivileges.map(({ owner, schema, kind, privilege }) => {
      const where = schema === null ? '' : ` in schema ${quoteName(schema)}`
      const change = `in ${parts.database}: alter default privileges for role ${quoteName(owner)}${where}`
      const right = `${privilege.toLowerCase()} on ${kind}`
      return {
        subject: `default privileges of ${owner} in ${parts.database}`,
        role: owner,
        evidence: `PUBLIC is given ${privilege} on ${kind} that ${owner} makes${where.replaceAll('"', '')}`,
        fix: `${change} revoke ${right} from public`,
        undo: `${change} grant ${right} to public`,
      }
    }),
})
