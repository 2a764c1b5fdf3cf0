import { foundSetting } from '../setting-found.js'
import { defineRule } from '../types.js'

/** Text that a client chose can look like a line of the log. */
export const logForm = defineRule({
  id: 'log-form',
  severity: 'medium',
  summary: 'the log has neither CSV nor JSON form',
  help: 'In plain text a role or application can forge what looks like another line.',
  references: ['NIST AU-9', 'NIST AU-10', 'ISO 27001 A.8.15', 'CIS PostgreSQL 3.1.2'],
  needs: ['settings'],
  find: ({ settings }) => {
    const value = settings.get('log_destination') ?? ''
    const isGood = /\b(csvlog|jsonlog)\b/.test(value) && settings.get('logging_collector') === 'on'
    if (isGood) return []
    return [
      foundSetting('log_destination', value, {
        evidence: `log_destination is ${value}, logging_collector is ${settings.get('logging_collector')}`,
        better: "'jsonlog' and logging_collector = on",
        needsRestart: true,
      }),
    ]
  },
})
