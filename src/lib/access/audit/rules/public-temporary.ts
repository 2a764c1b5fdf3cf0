import { defineRule, quoteName } from '../types.js'

/** Whoever may make temporary tables can put one before a function that trusts its search path. */
export const publicTemporary = defineRule({
  id: 'public-temporary',
  severity: 'medium',
  summary: 'every role may make temporary tables in a database',
  help: 'PostgreSQL grants TEMPORARY on a new database to PUBLIC.',
  references: ['NIST AC-6', 'ISO 27001 A.8.3'],
  needs: ['databases'],
  find: ({ databases }) =>
    databases
      .filter(({ isTemporaryOpen }) => isTemporaryOpen)
      .map(({ name }) => ({
        subject: `database ${name}`,
        role: null,
        evidence: 'TEMPORARY is granted to PUBLIC',
        fix: `revoke temporary on database ${quoteName(name)} from public`,
        undo: `grant temporary on database ${quoteName(name)} to public`,
      })),
})
