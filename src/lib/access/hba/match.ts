import type { Address } from '../../network.js'
import type { Attempt, HbaFacts, HbaRule, RuleAddress, Token } from './types.js'

/** Whether a condition holds; undefined where that cannot be known here. */
type Known = boolean | undefined

/**
 * The rule that decides about an attempt, as check_hba of PostgreSQL finds it: the first that matches.
 * Where something is not known (a host name, samenet without the interfaces), every rule that may decide
 * is given. The last one is null when no rule may match, which PostgreSQL refuses.
 */
export function decidingRules(
  rules: readonly HbaRule[],
  attempt: Attempt,
  facts: HbaFacts,
): (HbaRule | null)[] {
  const possible: (HbaRule | null)[] = []
  for (const rule of rules) {
    const isMatch = matchesRule(rule, attempt, facts)
    if (isMatch !== false) possible.push(rule)
    if (isMatch === true) return possible
  }
  return [...possible, null]
}

/** Whether a rule is about an attempt; undefined where that cannot be known. */
export function matchesRule(rule: HbaRule, attempt: Attempt, facts: HbaFacts): Known {
  if (!matchesType(rule, attempt)) return false
  return every([
    attempt.from === undefined || matchesAddress(rule.address, attempt.from, facts),
    some(rule.databases.map((token) => matchesDatabase(token, attempt, facts))),
    some(rule.users.map((token) => matchesUser(token, attempt.role, facts))),
  ])
}

function matchesType({ type }: HbaRule, { from, isEncrypted }: Attempt): boolean {
  switch (type) {
    case 'local':
      return from === undefined
    case 'host':
    case 'hostnogssenc':
      return from !== undefined
    case 'hostssl':
      return from !== undefined && isEncrypted
    case 'hostnossl':
      return from !== undefined && !isEncrypted
    case 'hostgssenc':
      return false
  }
}

function matchesAddress(address: RuleAddress | undefined, from: Address, facts: HbaFacts): Known {
  if (!address) return false
  if (address.kind === 'all') return true
  if (address.kind === 'hostname') return undefined
  if (address.kind === 'masked') return isWithin(from, address.network, address.mask)
  const isSameHost = address.kind === 'samehost'
  return facts.interfaces?.some((own) =>
    isSameHost
      ? own.address.family === from.family && own.address.bits === from.bits
      : isWithin(from, own.address, own.mask),
  )
}

function isWithin(address: Address, network: Address, mask: bigint): boolean {
  return address.family === network.family && ((address.bits ^ network.bits) & mask) === 0n
}

function matchesDatabase(token: Token, { database, role }: Attempt, facts: HbaFacts): Known {
  const keyword = token.isQuoted ? undefined : token.text
  if (database === undefined) return keyword === 'replication'
  switch (keyword) {
    case 'all':
      return true
    case 'sameuser':
      return database === role
    case 'samerole':
    case 'samegroup':
      return facts.isMember(role, database)
    case 'replication':
      return false
    default:
      return matchesName(token, database, facts)
  }
}

function matchesUser(token: Token, role: string, facts: HbaFacts): Known {
  if (!token.isQuoted && token.text.startsWith('+'))
    return facts.isMember(role, token.text.slice(1))
  if (!token.isQuoted && token.text === 'all') return true
  return matchesName(token, role, facts)
}

/** Quotes do not keep PostgreSQL from reading an expression. */
function matchesName({ text }: Token, name: string, facts: HbaFacts): Known {
  return facts.hasExpressions && text.startsWith('/')
    ? facts.matches(text.slice(1), name)
    : text === name
}

function every(conditions: readonly Known[]): Known {
  if (conditions.includes(false)) return false
  return conditions.includes(undefined) ? undefined : true
}

function some(conditions: readonly Known[]): Known {
  if (conditions.includes(true)) return true
  return conditions.includes(undefined) ? undefined : false
}
