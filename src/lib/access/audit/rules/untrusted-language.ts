import { defineRule } from '../types.js'

/** Functions that may do on the machine whatever the server may. */
export const untrustedLanguage = defineRule({
  id: 'untrusted-language',
  severity: 'high',
  summary: 'a database has a language that is not kept from the machine',
  help: 'plpython3u, plperlu and their like read files and start programs.',
  references: ['NIST CM-7', 'ISO 27001 A.8.9'],
  needs: ['database', 'untrustedLanguages'],
  find: ({ database, untrustedLanguages }) =>
    untrustedLanguages.map(({ name }) => ({
      subject: `language ${name} in ${database}`,
      role: null,
      evidence: 'is untrusted',
      fix: `in ${database}: drop language ${name}`,
      undo: `in ${database}: create extension ${name}`,
    })),
})
