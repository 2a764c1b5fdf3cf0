import { foundSetting } from '../setting-found.js'
import { defineRule } from '../types.js'

const LONGEST_S = 60

/** Whoever does not log in holds a connection. */
export const slowAuthentication = defineRule({
  id: 'slow-authentication',
  severity: 'medium',
  summary: 'a connection may take more than a minute to prove who it is',
  help: 'Connections that never log in keep the others out. A minute is the default.',
  references: ['NIST AC-12', 'NIST SC-5', 'CIS PostgreSQL 5.7'],
  needs: ['settings'],
  find: ({ settings }) => {
    const value = settings.get('authentication_timeout') ?? ''
    if (Number(value) <= LONGEST_S) return []
    const finding = { evidence: `authentication_timeout is ${value} seconds`, better: "'1min'" }
    return [foundSetting('authentication_timeout', value, finding)]
  },
})
