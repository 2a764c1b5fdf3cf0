import { defineRule, quoteGrantee, quoteName } from '../types.js'

/** A login at another server, in this one. */
export const storedLogin = defineRule({
  id: 'stored-login',
  severity: 'high',
  summary: 'a database keeps a password for another server, or lends a login there to everybody',
  help: 'Passwords of user mappings are kept in clear, and are in every backup.',
  references: ['NIST IA-5', 'ISO 27001 A.5.17'],
  needs: ['database', 'mappings'],
  find: ({ database, mappings }) =>
    mappings
      .filter(({ role, hasPassword }) => role === null || hasPassword)
      .map(({ server, role, hasPassword }) => {
        const whose = quoteGrantee(role)
        return {
          subject: `user mapping of ${role ?? 'PUBLIC'} at ${server} in ${database}`,
          role,
          evidence: hasPassword ? 'holds a password in clear' : 'is there for everybody',
          fix: `in ${database}: drop user mapping for ${whose} server ${quoteName(server)}`,
          undo: `in ${database}: create user mapping for ${whose} server ${quoteName(server)}, with its options`,
        }
      }),
})
