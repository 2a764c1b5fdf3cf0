import { defineRule, quoteName, type Found } from '../types.js'

/** Somebody has made something of a decoy. */
export const canaryRole = defineRule({
  id: 'canary-role',
  severity: 'critical',
  summary: 'a decoy role can log in, or was given or gives something',
  help: 'A decoy role never logs in, is a member of nothing and has no members. That somebody tried to log in as it, only the log says: access sessions.',
  references: ['NIST SC-26', 'NIST SI-4', 'ISO 27001 A.8.16'],
  needs: ['roles', 'memberships'],
  find: ({ roles, memberships }, list) => {
    const isDecoy = (name: string) =>
      list.canaries.some((canary) => canary.kind === 'role' && canary.name === name)
    return [
      ...roles
        .filter(({ name, canLogin, isSuperuser }) => isDecoy(name) && (canLogin || isSuperuser))
        .map(({ name, canLogin }): Found => ({
          subject: `role ${name}`,
          role: name,
          evidence: `a decoy that ${canLogin ? 'can log in' : 'is superuser'}`,
          fix: `alter role ${quoteName(name)} nologin nosuperuser`,
          undo: 'none: nobody uses it',
        })),
      ...memberships
        .filter(({ member, group }) => isDecoy(member) || isDecoy(group))
        .map(({ member, group }): Found => ({
          subject: `role ${isDecoy(group) ? group : member}`,
          role: member,
          evidence: `${member} is a member of ${group}, and one of them is a decoy`,
          fix: `revoke ${quoteName(group)} from ${quoteName(member)}`,
          undo: `grant ${quoteName(group)} to ${quoteName(member)}`,
        })),
    ]
  },
})
