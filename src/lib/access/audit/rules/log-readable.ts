import { foundSetting } from '../setting-found.js'
import { defineRule } from '../types.js'

/** Others may read who was in, and what was asked. */
export const logReadable = defineRule({
  id: 'log-readable',
  severity: 'medium',
  summary: 'log files can be read by other accounts of the machine',
  help: 'Statements in a log may hold what a table holds. Looked at where the server writes its files itself.',
  references: ['NIST AU-9', 'ISO 27001 A.8.15', 'CIS PostgreSQL 3.1.6'],
  needs: ['settings'],
  find: ({ settings }) => {
    const value = settings.get('log_file_mode') ?? ''
    const isOpen = (Number.parseInt(value, 8) & 0o077) !== 0
    if (!isOpen || settings.get('logging_collector') !== 'on') return []
    const evidence = `log_file_mode is ${value}`
    return [foundSetting('log_file_mode', value, { evidence, better: "'0600'" })]
  },
})
