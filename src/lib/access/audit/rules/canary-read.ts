import { defineRule } from '../types.js'

/** Somebody has looked into a decoy. */
export const canaryRead = defineRule({
  id: 'canary-read',
  severity: 'critical',
  summary: 'a decoy table was read',
  help: 'PostgreSQL counts reads of a table, whoever read it, on each server by itself and since its last crash; who it was, it does not say. A pg_dump reads it as well, unless it leaves the table out. Whoever is superuser can reset the counters.',
  references: ['NIST SC-26', 'NIST SI-4', 'ISO 27001 A.8.16'],
  needs: ['database', 'decoys'],
  find: ({ database, decoys }, list) =>
    decoys.flatMap(({ name, reference, reads, lastReadAt }) => {
      const canary = list.canaries.find((each) => each.reference === reference)
      if (canary?.kind !== 'table' || reads === 0) return []
      const when = lastReadAt === null ? '' : `, the last time at ${lastReadAt}`
      return [
        {
          subject: `table ${name} in ${database}`,
          role: null,
          evidence: `canary ${canary.id} was read ${reads === 1 ? 'once' : `${reads} times`}${when}`,
          fix: `find out who was in by then (cleverctl access sessions); then cleverctl access canary remove ${canary.id}, and plant another`,
          undo: 'none: it was read',
        },
      ]
    }),
})
