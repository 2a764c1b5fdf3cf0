import { defineRule, quoteName } from '../types.js'

/** A new database lets everybody in who passes pg_hba.conf. */
export const publicConnect = defineRule({
  id: 'public-connect',
  severity: 'high',
  summary: 'every role may connect to a database',
  help: 'PostgreSQL grants CONNECT on a new database to PUBLIC. template1 and postgres are looked at, too.',
  references: ['NIST AC-3', 'ISO 27001 A.8.3'],
  needs: ['databases'],
  find: ({ databases }) =>
    databases
      .filter(({ isOpenToPublic }) => isOpenToPublic)
      .map(({ name }) => ({
        subject: `database ${name}`,
        role: null,
        evidence: 'CONNECT is granted to PUBLIC',
        fix: `revoke connect on database ${quoteName(name)} from public`,
        undo: `grant connect on database ${quoteName(name)} to public`,
      })),
})
