import { foundSetting } from '../setting-found.js'
import { defineRule } from '../types.js'

/** All data on the wire, or from whoever says to be the primary. */
export const standbyWithoutTls = defineRule({
  id: 'standby-without-tls',
  severity: 'high',
  summary: 'primary_conninfo does not verify the primary by TLS, or holds a password',
  help: 'Also looked at on a primary, which may become a standby. A password belongs into a file named by passfile.',
  references: ['NIST SC-8', 'NIST IA-5', 'ISO 27001 A.8.24', 'CIS PostgreSQL 7.5'],
  needs: ['settings'],
  find: ({ settings }) => {
    const value = settings.get('primary_conninfo') ?? ''
    const word = (name: string) =>
      new RegExp(`(?:^|[\\s?&])${name}\\s*=\\s*'?([^'\\s&]*)`).exec(value)?.[1]
    const host = word('host') ?? word('hostaddr') ?? ''
    const isSocket = host === '' || host.startsWith('/')
    const isVerified = ['verify-ca', 'verify-full'].includes(word('sslmode') ?? '')
    const faults = [
      ...(isSocket || isVerified || value === '' ? [] : ['does not verify the primary']),
      ...(word('password') === undefined ? [] : ['holds a password']),
    ]
    if (faults.length === 0) return []
    const found = foundSetting('primary_conninfo', '', {
      evidence: `primary_conninfo ${faults.join(' and ')}`,
      better: "'host=… user=… sslmode=verify-full sslrootcert=… passfile=…'",
    })
    // The former value may hold a password.
    return [{ ...found, undo: 'put the former primary_conninfo back and select pg_reload_conf()' }]
  },
})
