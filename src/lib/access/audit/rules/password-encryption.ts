import { foundSetting } from '../setting-found.js'
import { defineRule } from '../types.js'

/** New passwords would be kept as hashes that are as good as the password. */
export const passwordEncryption = defineRule({
  id: 'password-encryption',
  severity: 'high',
  summary: 'new passwords are not kept as SCRAM-SHA-256',
  help: 'The next password that is set brings back an md5 hash.',
  references: ['NIST IA-5', 'ISO 27001 A.8.5', 'CIS PostgreSQL 5.12'],
  needs: ['settings'],
  find: ({ settings }) => {
    const value = settings.get('password_encryption') ?? ''
    if (value === 'scram-sha-256') return []
    const finding = { evidence: `password_encryption is ${value}`, better: "'scram-sha-256'" }
    return [foundSetting('password_encryption', value, finding)]
  },
})
