import type { Transaction } from '../../database/database.js'
import type { AccessAudit, AccessFinding } from './types.js'

/**
 * Writes down an audit and how it changes what is known of each finding.
 * @param given.unasked rules that were not asked at a server, `all` for every rule: what they found before stays
 * @returns its number
 */
export async function insertAudit(
  transaction: Transaction,
  given: Pick<AccessAudit, 'hosts' | 'notChecked'> & {
    at: Date
    seen: readonly (AccessFinding & { fingerprint: string; isAccepted: boolean })[]
    unasked: readonly { rule: string; host: string }[]
  },
): Promise<string> {
  const { at, hosts, seen, notChecked, unasked } = given
  const { rows } = await transaction.query<{ id: string }>(
    'select cleverctl.access_audit_record($1, $2, $3, $4, $5) as id',
    [at, ...[hosts, seen, notChecked, unasked].map((each) => JSON.stringify(each))],
  )
  const [row] = rows
  if (row === undefined) throw new TypeError('a function that always gives a row gave none')
  return row.id
}
