import { foundSetting, isAudited } from '../setting-found.js'
import { defineRule } from '../types.js'

/** Who gave whom a right is not written down. */
export const changesNotLogged = defineRule({
  id: 'changes-not-logged',
  severity: 'high',
  summary: 'the server does not log changes of roles and objects',
  help: 'log_statement ddl, mod or all, or pgaudit.log with role and ddl.',
  references: ['NIST AU-2', 'NIST AU-12', 'ISO 27001 A.8.15', 'CIS PostgreSQL 6.2'],
  needs: ['settings'],
  find: ({ settings }) => {
    const value = settings.get('log_statement') ?? ''
    const isSeen = isAudited(settings, 'role') && isAudited(settings, 'ddl')
    if (['ddl', 'mod', 'all'].includes(value) || isSeen) return []
    const evidence = `log_statement is ${value}`
    return [foundSetting('log_statement', value, { evidence, better: "'ddl'" })]
  },
})
