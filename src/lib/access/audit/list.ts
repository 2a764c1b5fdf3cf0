import type { AccountRow } from '../../staff/store.js'
import { accountState } from '../../staff/types.js'
import type { AccessList } from './types.js'

/** The list at a moment, as rules ask it. */
export function accessList(accounts: readonly AccountRow[], now: Date): AccessList {
  const holders = new Map(
    accounts.flatMap((account) => account.roleNames.map((name) => [name, account])),
  )
  return {
    accounts,
    now,
    holderOf: (role) => holders.get(role),
    isValid: (role) => {
      const holder = holders.get(role)
      return holder !== undefined && accountState(holder, now) === 'valid'
    },
  }
}
