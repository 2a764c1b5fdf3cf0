import { parseAddress } from '../../network.js'
import type { Membership, SessionRow } from '../audit/server-store.js'
import { hbaFacts, type ServerParts } from '../audit/server.js'
import { decidingRules } from '../hba/match.js'
import type { Attempt, HbaFacts, HbaRule } from '../hba/types.js'

/** A server with the connections that it has to go on taking: that of the command, and those of replication. */
export interface GuardedServer {
  host: string
  parts: Pick<ServerParts, 'hba' | 'server' | 'memberships'>
  keepers: readonly Attempt[]
}

/**
 * Whom other memberships of roles would lock out, by simulation: pg_hba.conf may name groups.
 * @returns in words; undefined where everybody who is in now is let in by the same rules, or surely by others
 */
export function whoIsLockedOut(
  servers: readonly GuardedServer[],
  memberships: readonly Membership[],
): string | undefined {
  for (const { host, parts, keepers } of servers) {
    const deciding = (attempt: Attempt, of: readonly Membership[]) =>
      decidingRules(parts.hba.rules, attempt, hbaFacts({ ...parts, memberships: of }))
    for (const attempt of keepers) {
      const facts = hbaFacts({ ...parts, memberships })
      const before = deciding(attempt, parts.memberships)
      const after = deciding(attempt, memberships)
      const isSame =
        after.length === before.length && after.every((rule, at) => rule === before[at])
      if (isSame || isSurelyLetIn(parts.hba.rules, attempt, facts)) continue
      const what = attempt.database === undefined ? 'replication' : 'the connection'
      return `${what} of ${attempt.role} at ${host}`
    }
  }
  return undefined
}

/** Whether every rule that may decide about an attempt lets it in. */
export function isSurelyLetIn(
  rules: readonly HbaRule[],
  attempt: Attempt,
  facts: HbaFacts,
): boolean {
  return decidingRules(rules, attempt, facts).every(
    (rule) => rule !== null && rule.method !== 'reject',
  )
}

/** How a session came in. */
export function attemptOf({
  role,
  database,
  address,
  isEncrypted,
}: Pick<SessionRow, 'role' | 'database' | 'address' | 'isEncrypted'>): Attempt {
  const from = address === null ? undefined : parseAddress(address)
  return { role, database: database ?? undefined, from, isEncrypted }
}
