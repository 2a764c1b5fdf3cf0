import { defineRule } from '../types.js'

/** A standby that is not there. */
export const idleSlot = defineRule({
  id: 'idle-slot',
  severity: 'medium',
  summary: 'a replication slot has no consumer',
  help: 'It keeps changes for somebody who does not come, until the disk is full, or for whoever comes first.',
  references: ['NIST AC-2', 'NIST SC-5', 'ISO 27001 A.8.20'],
  needs: ['slots'],
  find: ({ slots }) =>
    slots
      .filter(({ isActive }) => !isActive)
      .map(({ name }) => ({
        subject: `replication slot ${name}`,
        role: null,
        evidence: 'nobody uses it at this moment',
        fix: `select pg_drop_replication_slot('${name}')`,
        undo: `select pg_create_physical_replication_slot('${name}')`,
      })),
})
