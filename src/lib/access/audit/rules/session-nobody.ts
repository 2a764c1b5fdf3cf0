import { holds, parseAddress, parseNetwork } from '../../../network.js'
import { defineRule } from '../types.js'

/** Somebody is in at this moment who should not be. */
export const sessionNobody = defineRule({
  id: 'session-nobody',
  severity: 'critical',
  summary: 'a session of nobody on the list, from a foreign network, or without encryption',
  help: 'Sessions are looked at once, at the moment of the audit. By the unix socket no network is asked for.',
  references: ['NIST AC-2', 'NIST AC-17', 'ISO 27001 A.8.15'],
  needs: ['sessions'],
  find: ({ sessions }, list) =>
    sessions.flatMap(({ pid, role, database, address, isEncrypted }) => {
      const from = address === null ? undefined : parseAddress(address)
      const networks = list.holderOf(role)?.networks ?? []
      const isForeign =
        from !== undefined &&
        !networks.some((text) => {
          const network = parseNetwork(text)
          return network !== undefined && holds(network, from)
        })
      const faults = [
        ...(list.isValid(role) ? [] : ['nobody on the list']),
        ...(isForeign ? ['not from its networks'] : []),
        ...(from !== undefined && !isEncrypted ? ['not encrypted'] : []),
      ]
      if (faults.length === 0) return []
      return [
        {
          subject: `session of ${role}`,
          role,
          evidence: `process ${pid} in ${database ?? 'replication'} from ${address ?? 'the unix socket'}: ${faults.join(', ')}`,
          fix: `select pg_terminate_backend(${pid})`,
          undo: 'none: whoever it was connects again',
        },
      ]
    }),
})
