import type { Membership } from './server-store.js'

/**
 * Who has a right that is granted to a role: the role itself, and every member, who may become it by SET ROLE.
 * @param grantee null: PUBLIC
 * @returns each with a sentence that says how
 */
export function holdersOf(
  memberships: readonly Membership[],
  right: string,
  grantee: string | null,
): { role: string | null; evidence: string }[] {
  const evidence = `${right} is granted to ${grantee ?? 'PUBLIC'}`
  const members = grantee === null ? [] : membersOf(memberships, grantee)
  return [
    { role: grantee, evidence },
    ...members.map(({ member }) => ({
      role: member,
      evidence: `${evidence}, and ${member} is a member`,
    })),
  ]
}

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
