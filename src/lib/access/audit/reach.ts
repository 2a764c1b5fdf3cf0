import type { Address, Network } from '../../network.js'
import { decidingRules } from '../hba/match.js'
import { representativeAddresses } from '../hba/representatives.js'
import type { Attempt, HbaRule } from '../hba/types.js'
import { hbaFacts, type ServerParts } from './server.js'

/** The parts by which it is known who gets in. */
export const REACH_PARTS = ['server', 'memberships', 'roles', 'databases', 'hba'] as const

type Parts = Pick<ServerParts, (typeof REACH_PARTS)[number]>

/** Every kind of attempt that rules, or these networks, can tell from another, of these roles. */
export function* attempts(
  parts: Parts,
  roles: readonly string[],
  networks: readonly Network[] = [],
): Generator<Attempt> {
  const { rules } = parts.hba
  const addresses: (Address | undefined)[] = [
    undefined,
    ...representativeAddresses(parts.hba, networks),
  ]
  const names = rules.flatMap(({ databases }) => databases.map(({ text }) => text))
  const databases = new Set<string | undefined>([
    undefined,
    ...parts.databases.map(({ name }) => name),
    ...names,
  ])
  for (const role of roles)
    for (const from of addresses)
      for (const isEncrypted of from === undefined ? [false] : [false, true])
        for (const database of databases) yield { role, database, from, isEncrypted }
}

/** Every role that rules can tell from another. */
export function rolesToTry({ hba, roles }: Pick<Parts, 'hba' | 'roles'>): string[] {
  const words = hba.rules.flatMap(({ users }) => users.map(({ text }) => text))
  // One that nobody has stands for all names that are not named.
  return [...new Set([...words, ...roles.map(({ name }) => name), '\u0000'])]
}

/** The rules that may let a role in over the network. */
export function rulesThatLetIn(parts: Parts, role: string): Set<HbaRule> {
  const facts = hbaFacts(parts)
  const found = new Set<HbaRule>()
  for (const attempt of attempts(parts, [role])) {
    if (attempt.from === undefined) continue
    for (const rule of decidingRules(parts.hba.rules, attempt, facts))
      if (rule !== null && rule.method !== 'reject') found.add(rule)
  }
  return found
}

/** The rules that decide about nothing, whoever comes from wherever. */
export function deadRules(parts: Parts): HbaRule[] {
  // An expression may be about names that nobody has yet.
  const facts = { ...hbaFacts(parts), matches: () => undefined }
  const alive = new Set<HbaRule | null>()
  for (const attempt of attempts(parts, rolesToTry(parts)))
    for (const rule of decidingRules(parts.hba.rules, attempt, facts)) alive.add(rule)
  // Encryption by GSSAPI is not simulated.
  return parts.hba.rules.filter((rule) => !alive.has(rule) && rule.type !== 'hostgssenc')
}
