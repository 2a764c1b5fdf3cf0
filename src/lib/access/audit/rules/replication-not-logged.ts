import { foundSetting } from '../setting-found.js'
import { defineRule } from '../types.js'

/** A copy of everything leaves no line. */
export const replicationNotLogged = defineRule({
  id: 'replication-not-logged',
  severity: 'medium',
  summary: 'the server does not log what is replicated',
  help: 'log_replication_commands tells who began to copy the server, and from where.',
  references: ['NIST AU-2', 'ISO 27001 A.8.15', 'CIS PostgreSQL 7.2'],
  needs: ['settings'],
  find: ({ settings }) => {
    const value = settings.get('log_replication_commands') ?? ''
    if (value === 'on') return []
    const evidence = `log_replication_commands is ${value}`
    return [foundSetting('log_replication_commands', value, { evidence, better: 'on' })]
  },
})
