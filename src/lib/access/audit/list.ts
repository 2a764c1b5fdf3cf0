import type { AccountRow } from '../../staff/store.js'
import { accountState } from '../../staff/types.js'
import type { CanaryOnList } from '../canary/types.js'
import type { AccessList, GrantOnList } from './types.js'

/**
 * The list at a moment, as rules ask it.
 * @param grants roles that were made for people for a limited time
 * @param canaries decoys that were not removed
 */
export function accessList(
  accounts: readonly AccountRow[],
  now: Date,
  grants: readonly GrantOnList[] = [],
  canaries: readonly CanaryOnList[] = [],
): AccessList {
  const holders = new Map(
    accounts.flatMap((account) => account.roleNames.map((name) => [name, account])),
  )
  const byRole = new Map(grants.map((grant) => [grant.role, grant]))
  const people = new Map(
    accounts.filter(({ kind }) => kind === 'staff').map((account) => [account.handle, account]),
  )
  const holderOf = (role: string) => holders.get(role) ?? people.get(byRole.get(role)?.email ?? '')
  const isOnList = (role: string) => {
    const holder = holderOf(role)
    return holder !== undefined && accountState(holder, now) === 'valid'
  }
  const grantOf = (role: string) => {
    const grant = byRole.get(role)
    const isOpen = grant?.state === 'PLANNED' || grant?.state === 'ACTIVE'
    return isOpen && grant.endsAt > now && isOnList(role) ? grant : undefined
  }
  return {
    accounts,
    now,
    canaries,
    holderOf,
    grantOf,
    isOfGrant: (role) => byRole.has(role),
    isValid: (role) => (holders.has(role) ? isOnList(role) : grantOf(role) !== undefined),
  }
}
