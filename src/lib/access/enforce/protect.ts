import type { RoleRow } from '../audit/server-store.js'
import type { AccessList } from '../audit/types.js'

/** What decides which roles are left as they are. */
export interface Protection {
  list: Pick<AccessList, 'holderOf'>
  /** The logins with which the command works. */
  own: ReadonlySet<string>
  /** Roles that the engineer names: they are changed although they are superusers, replicate or are unknown. */
  named: ReadonlySet<string>
  /** Whether logins that nobody on the list has are changed. */
  isUnknownIncluded: boolean
}

/**
 * Why a role is left as it is; undefined where it may be changed. A role that replicates may be in use although it has
 * no session at this moment: a standby that is away comes back.
 */
export function whyLeft(role: RoleRow, asked: Protection): string | undefined {
  const { name, isBootstrap, isSuperuser, canReplicate, canLogin } = role
  if (asked.own.has(name)) return 'this command logs in as it'
  if (isBootstrap) return 'the server was made with it'
  if (asked.named.has(name)) return undefined
  if (isSuperuser) return `it is a superuser; to change it: --role ${name}`
  if (canReplicate)
    return `it may be what a standby or a backup needs; to change it: --role ${name}`
  if (canLogin && !asked.list.holderOf(name) && !asked.isUnknownIncluded)
    return `nobody on the list has it; to change it: --role ${name}, or --unknown-roles`
  return undefined
}
