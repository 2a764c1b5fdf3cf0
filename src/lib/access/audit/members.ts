import type { Membership } from './server-store.js'

/**
 * The members of a role, directly and through others, without roles of PostgreSQL itself; whoever is nearer comes
 * first.
 * @returns each by the membership of its own through which it is one
 */
export function membersOf(memberships: readonly Membership[], group: string): Membership[] {
  const found = new Map<string, Membership | undefined>([[group, undefined]])
  for (const [of] of found)
    for (const each of memberships)
      if (each.group === of && !found.has(each.member)) found.set(each.member, each)
  return [...found.values()].flatMap((direct) =>
    direct === undefined || direct.member.startsWith('pg_') ? [] : [direct],
  )
}
