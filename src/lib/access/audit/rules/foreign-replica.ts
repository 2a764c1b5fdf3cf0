import { defineRule } from '../types.js'

/** Somebody copies the server at this moment. */
export const foreignReplica = defineRule({
  id: 'foreign-replica',
  severity: 'critical',
  summary: 'somebody who is no service account replicates from the server',
  help: 'Standbys and backups are service accounts. Looked at once, at the moment of the audit.',
  references: ['NIST AC-4', 'NIST AC-17', 'ISO 27001 A.8.20'],
  needs: ['sessions'],
  find: ({ sessions }, list) =>
    sessions
      .filter(
        ({ isReplication, role }) =>
          isReplication && !(list.isValid(role) && list.holderOf(role)?.kind === 'service-account'),
      )
      .map(({ pid, role, address }) => ({
        subject: `replication of ${role}`,
        role,
        evidence: `process ${pid} sends to ${address ?? 'the unix socket'}`,
        fix: `select pg_terminate_backend(${pid})`,
        undo: 'none: whoever it was connects again',
      })),
})
