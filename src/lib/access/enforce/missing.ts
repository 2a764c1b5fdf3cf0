import { accountState } from '../../staff/types.js'
import { CONNECTION_LIMIT } from '../audit/rules/no-connection-limit.js'
import type { RoleRow } from '../audit/server-store.js'
import { quoteName, type AccessList } from '../audit/types.js'
import type { Difference } from './types.js'

/**
 * Roles of service accounts that are not there or cannot log in. People need none: they come by a grant, which makes a
 * login of its own. A new role has neither a password nor rights, so nobody gets in by it yet.
 */
export function missingRoles(
  host: string,
  roles: ReadonlyMap<string, RoleRow>,
  list: AccessList,
): Difference[] {
  return list.accounts
    .filter(
      (account) =>
        account.kind === 'service-account' && accountState(account, list.now) === 'valid',
    )
    .flatMap(({ handle, roleNames }) =>
      roleNames.flatMap((role): Difference[] => {
        const about = { host, kind: 'role missing' as const, rule: null, who: handle }
        const of = { ...about, subject: `role ${role}`, role }
        const name = quoteName(role)
        const row = roles.get(role)
        if (!row) {
          const to = `login ${CONNECTION_LIMIT}`
          const fix = `create role ${name} ${to}`
          return [{ ...of, from: 'no role', to, fix, undo: `drop role ${name}` }]
        }
        if (row.canLogin) return []
        const isLimited = row.isSuperuser || row.connectionLimit !== null
        const to = isLimited ? 'login' : `login ${CONNECTION_LIMIT}`
        const from = isLimited ? 'nologin' : 'nologin connection limit -1'
        const alter = `alter role ${name}`
        return [{ ...of, from, to, fix: `${alter} ${to}`, undo: `${alter} ${from}` }]
      }),
    )
}
