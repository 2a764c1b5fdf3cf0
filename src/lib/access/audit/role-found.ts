import { quoteName, type Found, type Mending } from './types.js'

/** A finding about what ALTER ROLE says of a role. @param from what is so, in its words; @param to what should be */
export function foundAttribute(
  name: string,
  finding: { evidence: string; from: string; to: string; kind?: Mending['kind'] },
): Found {
  const { evidence, from, to, kind = 'attribute' } = finding
  const alter = `alter role ${quoteName(name)}`
  return {
    subject: `role ${name}`,
    role: name,
    evidence,
    fix: `${alter} ${to}`,
    undo: `${alter} ${from}`,
    mending: { kind, from, to },
  }
}

/** A finding about a role that can log in and should not. */
export function foundLogin(name: string, evidence: string): Found {
  return foundAttribute(name, { evidence, from: 'login', to: 'nologin', kind: 'login' })
}

/** A finding about a role that is a member of another and should not be. @param isAdmin it has ADMIN OPTION, too */
export function foundMembership(
  { member, group, isAdmin }: { member: string; group: string; isAdmin: boolean },
  evidence: string,
): Found {
  const [name, of] = [quoteName(member), quoteName(group)]
  return {
    subject: `role ${member}`,
    role: member,
    evidence,
    fix: `revoke ${of} from ${name}`,
    undo: `grant ${of} to ${name}${isAdmin ? ' with admin option' : ''}`,
    mending: { kind: 'membership', from: `member of ${group}`, to: 'no member', group },
  }
}
