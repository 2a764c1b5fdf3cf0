import { defineRule, quoteName } from '../types.js'

/** A hash that is as good as the password, or soon guessed. */
export const weakPasswordHash = defineRule({
  id: 'weak-password-hash',
  severity: 'high',
  summary: 'a password is not kept as SCRAM-SHA-256',
  help: 'An md5 hash can be used to log in as it is. A password that is set again is kept as SCRAM.',
  references: ['NIST IA-5', 'ISO 27001 A.8.5', 'CIS PostgreSQL 5.12'],
  needs: ['passwords'],
  find: ({ passwords }) =>
    passwords
      .filter(({ kind }) => kind === 'other')
      .map(({ role }) => ({
        subject: `role ${role}`,
        role,
        evidence: 'the hash of the password is not SCRAM-SHA-256',
        fix: `set password_encryption = 'scram-sha-256'; alter role ${quoteName(role)} password null; then set a new one`,
        undo: 'none: the former hash is not kept',
      })),
})
