import type { Database } from '../../database/database.js'
import { endsOf, parseNetwork } from '../../network.js'
import { readServer, hbaFacts } from '../audit/server.js'
import { asksForProof } from '../hba/block.js'
import { decidingRules } from '../hba/match.js'
import { HBA_METHODS, type Admission, type GrantMethod } from './types.js'

/**
 * Whether a server's pg_hba.conf lets a role in from networks, by simulation, and the line that would.
 */
export async function readAdmissions(
  server: { host: string; database: Database },
  asked: {
    role: string
    method: GrantMethod
    databases: readonly string[]
    networks: readonly string[]
  },
  signal: AbortSignal,
): Promise<Admission[]> {
  const { role, databases, networks } = asked
  const { hba, memberships, server: standing } = await readServer(server.database, signal)
  return networks.flatMap((network) =>
    databases.map((database) => {
      const line = `hostssl ${database} ${role} ${network} ${HBA_METHODS[asked.method]}`
      const about = { host: server.host, network, database, line }
      const from = parseNetwork(network)
      const isKnown =
        !(hba instanceof Error) && !(memberships instanceof Error) && !(standing instanceof Error)
      if (!isKnown || from === undefined) return { ...about, standing: 'unknown' as const }
      const facts = hbaFacts({ hba, memberships, server: standing })
      const ways = endsOf(from).flatMap((address) =>
        decidingRules(hba.rules, { role, database, from: address, isEncrypted: true }, facts),
      )
      const letIn = ways.filter((rule) => rule !== null && asksForProof(rule, asked.method))
      if (letIn.length === ways.length) return { ...about, standing: 'let in' as const }
      return {
        ...about,
        standing: letIn.length === 0 ? ('refused' as const) : ('unknown' as const),
      }
    }),
  )
}
