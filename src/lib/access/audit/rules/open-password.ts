import { defineRule } from '../types.js'

/** A password on the wall. */
export const openPassword = defineRule({
  id: 'open-password',
  severity: 'high',
  summary: 'a foreign server, wrapper or table holds a password that every role can read',
  help: 'Options of these are shown to everybody who is in; a user mapping is shown to superusers and its user. The password is known by now: change it.',
  references: ['NIST IA-5', 'ISO 27001 A.5.17'],
  needs: ['database', 'openPasswords'],
  find: ({ database, openPasswords }) =>
    openPasswords.map(({ kind, name, owner, option }) => {
      const alter = `in ${database}: alter ${kind} ${name} options`
      return {
        subject: `${kind} ${name} in ${database}`,
        role: owner,
        evidence: `holds the option ${option} in clear`,
        fix: `${alter} (drop ${option}), and change the password`,
        undo: `${alter} (add ${option}), with what it was`,
      }
    }),
})
