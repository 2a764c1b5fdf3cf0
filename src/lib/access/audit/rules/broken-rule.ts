import { defineRule } from '../types.js'

/** A line that keeps the server from reading the whole file. */
export const brokenRule = defineRule({
  id: 'broken-rule',
  severity: 'high',
  summary: 'pg_hba.conf has a line that the server does not take',
  help: 'With such a line no reload changes anything, and the server does not start any more.',
  references: ['NIST CM-6', 'ISO 27001 A.8.9'],
  needs: ['hba'],
  find: ({ hba }) =>
    hba.rows
      .filter(({ error }) => error !== null)
      .map(({ file, line, error }) => ({
        subject: `${file ?? 'pg_hba.conf'} line ${line}`,
        role: null,
        evidence: error ?? '',
        fix: `${file ?? 'pg_hba.conf'} line ${line}: mend or take out, then select pg_reload_conf()`,
        undo: 'put the line back as it was',
      })),
})
