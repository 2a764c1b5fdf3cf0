import { defineRule, quoteName } from '../types.js'

/** Settings that silence the log, change which function a name means, or switch a check off. */
const WATCHED =
  /^(log_|pgaudit\.|(search_path|session_preload_libraries|local_preload_libraries|dynamic_library_path|row_security|lc_messages|role|session_replication_role|lo_compat_privileges|allow_system_table_mods)=)/

/** A setting that a role or database brings along. */
export const roleSetting = defineRule({
  id: 'role-setting',
  severity: 'critical',
  summary:
    'a role or database changes the log, the search path or what is checked for its sessions',
  help: 'A setting of a role or a database wins over the configuration of the server, unseen in its files.',
  references: ['NIST AU-9', 'NIST CM-6', 'ISO 27001 A.8.15'],
  needs: ['roleSettings'],
  find: ({ roleSettings }) =>
    roleSettings
      .filter(({ setting }) => WATCHED.test(setting) && setting !== 'pgaudit.log=all')
      .map(({ role, database, setting }) => {
        const name = setting.slice(0, setting.indexOf('='))
        const value = setting.slice(name.length + 1).replaceAll("'", "''")
        const target =
          role === null
            ? `database ${quoteName(database ?? '')}`
            : `role ${quoteName(role)}${database === null ? '' : ` in database ${quoteName(database)}`}`
        return {
          subject: target.replaceAll('"', ''),
          role,
          evidence: `brings along ${setting}`,
          fix: `alter ${target} reset ${name}`,
          undo: `alter ${target} set ${name} = '${value}'`,
        }
      }),
})
