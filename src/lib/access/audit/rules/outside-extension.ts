import { defineRule, quoteName } from '../types.js'

/** Extensions that reach other servers, files or programs. */
const WATCHED = [
  'dblink',
  'postgres_fdw',
  'file_fdw',
  'adminpack',
  'http',
  'pg_net',
  'plsh',
  'pg_cron',
]

/** A way out of the database. */
export const outsideExtension = defineRule({
  id: 'outside-extension',
  severity: 'medium',
  summary: 'a database has an extension that reaches outside',
  help: `Extensions: ${WATCHED.join(', ')}, and those for other kinds of servers (…_fdw).`,
  references: ['NIST CM-7', 'NIST AC-4', 'ISO 27001 A.8.9', 'CIS PostgreSQL 1.8'],
  needs: ['database', 'extensions'],
  find: ({ database, extensions }) =>
    extensions
      .filter(({ name }) => WATCHED.includes(name) || name.endsWith('_fdw'))
      .map(({ name }) => ({
        subject: `extension ${name} in ${database}`,
        role: null,
        evidence: 'reaches outside',
        fix: `in ${database}: drop extension ${quoteName(name)}`,
        undo: `in ${database}: create extension ${quoteName(name)}`,
      })),
})
