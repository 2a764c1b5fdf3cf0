import { defineRule } from '../types.js'

/** Without it nobody can tell who was in. */
export const connectionsNotLogged = defineRule({
  id: 'connections-not-logged',
  severity: 'high',
  summary: 'the server does not log who connects and who leaves',
  help: 'log_connections and log_disconnections are what every look back rests on.',
  references: ['NIST AU-2', 'NIST AU-12', 'ISO 27001 A.8.15', 'CIS PostgreSQL 3.1'],
  needs: ['settings'],
  find: ({ settings }) =>
    ['log_connections', 'log_disconnections']
      .filter((name) => ['off', ''].includes(settings.get(name) ?? ''))
      .map((name) => ({
        subject: `setting ${name}`,
        role: null,
        evidence: `${name} is off`,
        fix: `alter system set ${name} = on; select pg_reload_conf()`,
        undo: `alter system reset ${name}; select pg_reload_conf()`,
      })),
})
