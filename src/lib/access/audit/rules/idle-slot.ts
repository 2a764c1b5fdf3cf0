import { defineRule, quoteLiteral } from '../types.js'

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
      .map(({ name, plugin }) => ({
        subject: `replication slot ${name}`,
        role: null,
        evidence: `nobody uses it at this moment; it is ${plugin === null ? 'physical' : `logical, by ${plugin}`}`,
        fix: `select pg_drop_replication_slot('${name}')`,
        undo:
          plugin === null
            ? `select pg_create_physical_replication_slot('${name}')`
            : `select pg_create_logical_replication_slot('${name}', ${quoteLiteral(plugin)}), in its database`,
      })),
})
