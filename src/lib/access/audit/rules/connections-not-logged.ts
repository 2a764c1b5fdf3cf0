import { foundSetting } from '../setting-found.js'
import { defineRule } from '../types.js'

/** Without it nobody can tell who was in. */
export const connectionsNotLogged = defineRule({
  id: 'connections-not-logged',
  severity: 'high',
  summary: 'the server does not log who connects and who leaves',
  help: 'log_connections and log_disconnections are what every look back rests on. With log_min_messages fatal or panic PostgreSQL writes neither.',
  references: ['NIST AU-2', 'NIST AU-12', 'ISO 27001 A.8.15', 'CIS PostgreSQL 3.1'],
  needs: ['settings'],
  find: ({ settings }) => {
    const off = ['log_connections', 'log_disconnections']
      .filter((name) => ['off', ''].includes(settings.get(name) ?? ''))
      .map((name) => ({
        subject: `setting ${name}`,
        role: null,
        evidence: `${name} is off`,
        fix: `alter system set ${name} = on; select pg_reload_conf()`,
        undo: `alter system reset ${name}; select pg_reload_conf()`,
      }))
    const least = settings.get('log_min_messages') ?? ''
    if (!['fatal', 'panic'].includes(least)) return off
    const evidence = `log_min_messages is ${least}, so nobody who connects is written down`
    return [...off, foundSetting('log_min_messages', least, { evidence, better: "'warning'" })]
  },
})
