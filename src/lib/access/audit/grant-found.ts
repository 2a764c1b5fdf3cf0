import type { GrantRow } from './database-store.js'
import { quoteGrantee, type Found } from './types.js'

/** A finding about a right in a database. */
export function foundGrant(grant: GrantRow, database: string, evidence: string): Found {
  const { kind, name, grantee, privilege, isGrantable } = grant
  const whom = quoteGrantee(grantee)
  const what = `${privilege.toLowerCase()} on ${kind} ${name}`
  return {
    subject: `${kind} ${name} in ${database}`,
    role: grantee,
    evidence,
    fix: `in ${database}: revoke ${what} from ${whom}`,
    undo: `in ${database}: grant ${what} to ${whom}${isGrantable ? ' with grant option' : ''}`,
  }
}
