import { rulesThatLetIn, REACH_PARTS } from '../reach.js'
import { foundLogin } from '../role-found.js'
import { defineRule, quoteName } from '../types.js'

/** Methods that compare with the password that the server keeps. */
const WITH_PASSWORD = ['scram-sha-256', 'md5', 'password']

/** A login that waits for a password, or a password that waits for a login. */
export const loginWithoutPassword = defineRule({
  id: 'login-without-password',
  severity: 'medium',
  summary: 'a role is let in by a password that it does not have, or has one and cannot log in',
  help: 'Whoever sets the password, or allows the login, opens a door that nobody looks at.',
  references: ['NIST IA-5', 'ISO 27001 A.5.17', 'CIS PostgreSQL 4.10'],
  needs: ['passwords', ...REACH_PARTS],
  find: (parts) =>
    parts.passwords.flatMap(({ role, kind, canLogin }) => {
      if (!canLogin && kind !== 'none')
        return [
          {
            subject: `role ${role}`,
            role,
            evidence: 'cannot log in, and has a password',
            fix: `alter role ${quoteName(role)} password null`,
            undo: 'none: the former hash is not kept',
          },
        ]
      if (!canLogin || kind !== 'none') return []
      const ways = [...rulesThatLetIn(parts, role)]
      if (!ways.some(({ method }) => WITH_PASSWORD.includes(method))) return []
      return [foundLogin(role, 'has no password, and a rule asks it for one')]
    }),
})
