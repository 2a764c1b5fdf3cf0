import type { Membership } from './server-store.js'

/**
 * The members of a role, directly and through others, without roles of PostgreSQL itself.
 * @returns each with the role of which it is a member directly
 */
export function membersOf(
  memberships: readonly Membership[],
  group: string,
): { member: string; group: string; through: string }[] {
  const found = new Map([[group, group]])
  for (const [of] of found)
    for (const { member, group: through } of memberships)
      if (through === of && !found.has(member)) found.set(member, through)
  found.delete(group)
  return [...found]
    .filter(([member]) => !member.startsWith('pg_'))
    .map(([member, through]) => ({ member, group, through }))
}
