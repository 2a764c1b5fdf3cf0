import { defineRule } from '../types.js'

/** The file says one thing, the server does another. */
export const rulesNotLoaded = defineRule({
  id: 'rules-not-loaded',
  severity: 'high',
  summary: 'pg_hba.conf was changed after the server last read it',
  help: 'What the file says is not in force: this audit judged the file.',
  references: ['NIST CM-6', 'ISO 27001 A.8.9'],
  needs: ['loadTimes'],
  find: ({ loadTimes: { writtenAt, loadedAt } }) =>
    writtenAt <= loadedAt
      ? []
      : [
          {
            subject: 'pg_hba.conf',
            role: null,
            evidence: `written ${writtenAt.toISOString()}, loaded ${loadedAt.toISOString()}`,
            fix: 'select pg_reload_conf()',
            undo: 'put the former file back and select pg_reload_conf()',
          },
        ],
})
