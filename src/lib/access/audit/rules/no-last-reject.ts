import { defineRule } from '../types.js'

/** A file that does not say where it ends. */
export const noLastReject = defineRule({
  id: 'no-last-reject',
  severity: 'medium',
  summary: 'the last rule is not host all all all reject',
  help: 'Without it, a line that somebody appends is in force; with it, such a line is dead.',
  references: ['NIST AC-3', 'ISO 27001 A.8.20'],
  needs: ['hba'],
  find: ({ hba }) => {
    const last = hba.rules.at(-1)
    const isAll = (tokens: readonly { text: string; isQuoted: boolean }[] | undefined) =>
      tokens?.some(({ text, isQuoted }) => text === 'all' && !isQuoted) === true
    const isGood =
      last?.type === 'host' &&
      last.method === 'reject' &&
      last.address?.kind === 'all' &&
      isAll(last.users) &&
      isAll(last.databases)
    const line = 'host all all all reject'
    return isGood
      ? []
      : [
          {
            subject: 'pg_hba.conf',
            role: null,
            evidence: 'the last rule is not a reject for all',
            fix: `pg_hba.conf: append ${line}`,
            undo: `pg_hba.conf: take out the last line, ${line}`,
          },
        ]
  },
})
