import { createHash } from 'node:crypto'
import { isSqlState, SqlState } from '../../database/sqlstate.js'
import { appendTrail } from '../../trail/append.js'
import type { Workspace } from '../../workspace.js'
import { insertAudit } from './record-store.js'
import { ACCESS_RULES } from './rules.js'
import type { AccessAudit, AccessFinding } from './types.js'

/**
 * Keeps what an audit found, so that a report can tell how it went over time. Whoever may only read the
 * cleverctl database keeps nothing, and is told so.
 */
export async function recordAudit(
  { database, actor, log }: Workspace,
  audit: AccessAudit,
  { isProbing }: { isProbing: boolean },
): Promise<void> {
  const { findings, accepted, notChecked, hosts } = audit
  const untried = isProbing ? [] : ACCESS_RULES.filter(({ needs }) => needs.includes('probes'))
  const unasked = [
    ...notChecked.map(({ rule, host }) => ({ rule, host })),
    ...untried.flatMap(({ id }) => hosts.map(({ host }) => ({ rule: id, host }))),
  ]
  const seen = [
    ...findings.map((finding) => ({ ...finding, isAccepted: false })),
    ...accepted.map((finding) => ({ ...finding, isAccepted: true })),
  ].map((finding) => ({ ...finding, fingerprint: fingerprintOf(finding) }))
  try {
    await database.transaction(async (transaction) => {
      const at = new Date(audit.checkedAt)
      const id = await insertAudit(transaction, { at, hosts, seen, notChecked, unasked })
      await appendTrail(transaction, actor, {
        action: 'access.audit',
        subject: `audit ${id}`,
        details: {
          hosts: hosts.map(({ host }) => host),
          findings: findings.length,
          accepted: accepted.length,
          notChecked: notChecked.length,
        },
      })
    })
  } catch (error) {
    if (!isSqlState(error, SqlState.INSUFFICIENT_PRIVILEGE)) throw error
    log.info('this audit is not kept for reports: your role only reads the cleverctl database')
  }
}

/** What makes it the same finding in the next audit. */
function fingerprintOf({ rule, host, subject }: AccessFinding): string {
  return createHash('sha256')
    .update(JSON.stringify([rule, host, subject]))
    .digest('hex')
}
