import { foundSetting } from '../setting-found.js'
import { defineRule } from '../types.js'

/** An hour of the year comes twice. */
export const logNotUtc = defineRule({
  id: 'log-not-utc',
  severity: 'medium',
  summary: 'times in the log are not UTC',
  help: 'In a zone with summer time an hour is there twice a year, and servers cannot be compared.',
  references: ['NIST AU-8', 'ISO 27001 A.8.17'],
  needs: ['settings'],
  find: ({ settings }) => {
    const value = settings.get('log_timezone') ?? ''
    if (/^(Etc\/)?(UTC|GMT|UCT|Universal|Zulu)$/.test(value)) return []
    const finding = { evidence: `log_timezone is ${value}`, better: "'UTC'" }
    return [foundSetting('log_timezone', value, finding)]
  },
})
