import { defineRule, quoteName } from '../types.js'

/** REPLICATION of somebody else than a program. */
export const replicationRole = defineRule({
  id: 'replication-role',
  severity: 'high',
  summary: 'a role that is no service account can copy the whole server',
  help: 'Whoever may replicate gets all data of all databases. Only service accounts should.',
  references: ['NIST AC-6', 'ISO 27001 A.8.2', 'CIS PostgreSQL 7.1'],
  needs: ['roles'],
  find: ({ roles }, list) =>
    roles
      .filter(
        (role) =>
          role.canReplicate &&
          !role.isBootstrap &&
          list.holderOf(role.name)?.kind !== 'service-account',
      )
      .map(({ name }) => ({
        subject: `role ${name}`,
        role: name,
        evidence: 'has REPLICATION and is no service account',
        fix: `alter role ${quoteName(name)} noreplication`,
        undo: `alter role ${quoteName(name)} replication`,
      })),
})
