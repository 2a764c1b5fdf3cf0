import {
  formatAddress,
  formatNetwork,
  holds,
  parseNetwork,
  type Network,
} from '../../../network.js'
import { asksForProof, LAST_GRANTED_LINE, lineFor, linesFor } from '../../hba/block.js'
import { formatRule, placeOf } from '../../hba/format.js'
import { decidingRules } from '../../hba/match.js'
import { attempts, REACH_PARTS } from '../reach.js'
import { hbaFacts, type ServerParts } from '../server.js'
import { defineRule, type GrantOnList } from '../types.js'

type Parts = Pick<ServerParts, (typeof REACH_PARTS)[number]>

/** A granted role whose line was changed, taken out, or stands where another decides first. */
export const otherwiseThanGranted = defineRule({
  id: 'otherwise-than-granted',
  severity: 'high',
  summary: 'a granted role is let in otherwise than its grant says, or not at all',
  help: 'A granted role comes over TLS, by its proof, from networks of its person, to databases of its grant; every other way over the network is refused. The unix socket is not looked at.',
  references: ['NIST AC-3', 'NIST IA-2', 'ISO 27001 A.5.18', 'ISO 27001 A.8.5'],
  needs: REACH_PARTS,
  find: (parts, list) =>
    parts.roles.flatMap(({ name: role, canLogin }) => {
      const grant = canLogin ? list.grantOf(role) : undefined
      if (!grant) return []
      const networks = list.holderOf(role)?.networks ?? []
      const differences = differencesOf(parts, grant, networks)
      if (differences.length === 0) return []
      const lines = [...linesFor(grant, networks), LAST_GRANTED_LINE]
      return [
        {
          subject: `role ${role}`,
          role,
          evidence: differences.join('; '),
          fix: `pg_hba.conf, at its top: ${lines.join('; ')}`,
          undo: 'put the former file back and select pg_reload_conf()',
        },
      ]
    }),
})

/** In words, one for each line that should decide and each that does. */
function differencesOf(parts: Parts, grant: GrantOnList, networks: readonly string[]): string[] {
  const facts = hbaFacts(parts)
  const known = networks.flatMap((text) => parseNetwork(text) ?? [])
  const found = new Map<string, string>()
  for (const attempt of attempts(parts, [grant.role], known)) {
    const { database, from, isEncrypted } = attempt
    // Nobody can be granted replication.
    if (from === undefined || database === undefined) continue
    const network = isEncrypted ? known.find((each) => holds(each, from)) : undefined
    const expected = network && expectedLine(grant, network, database)
    for (const rule of decidingRules(parts.hba.rules, attempt, facts)) {
      const isRight =
        expected === undefined
          ? rule === null || rule.method === 'reject'
          : rule !== null && asksForProof(rule, grant.method)
      if (isRight) continue
      const line = rule === null ? 'no line' : `${placeOf(rule)}, ${formatRule(rule)}`
      const what = `expected ${expected ?? 'to be refused'}, found ${line}`
      const way = `from ${formatAddress(from)} to ${database}${isEncrypted ? '' : ' without TLS'}`
      if (!found.has(what)) found.set(what, `${way}: ${what}`)
    }
  }
  return [...found.values()]
}

function expectedLine(
  { role, databases, method }: GrantOnList,
  network: Network,
  database: string,
): string | undefined {
  if (!databases.includes(database)) return undefined
  return lineFor({ database, role, network: formatNetwork(network), method })
}
