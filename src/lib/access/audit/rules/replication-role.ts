import { foundAttribute } from '../role-found.js'
import { defineRule } from '../types.js'

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
      .map(({ name }) => {
        const evidence = 'has REPLICATION and is no service account'
        return foundAttribute(name, { evidence, from: 'replication', to: 'noreplication' })
      }),
})
