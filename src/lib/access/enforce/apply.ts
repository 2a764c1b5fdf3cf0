import { StatementError } from '../../database/statement-error.js'
import { ExpectedError } from '../../errors.js'
import { recordInTrail } from '../../trail/append.js'
import type { Workspace } from '../../workspace.js'
import { endLogin } from '../ended-login.js'
import { endSessions } from '../grant/server-store.js'
import type { OpenServer } from '../grant/servers.js'
import { rewriteHba, setHbaLines } from '../hba/change.js'
import { withoutLine } from '../hba/without-line.js'
import { whyLockedOut } from '../own-login.js'
import { showChange, type Change, type Difference, type PlannedChange } from './types.js'

/** Where a plan is carried out. */
export interface Site {
  primary: OpenServer
  /** All that are open, the primary too. */
  servers: readonly OpenServer[]
}

/**
 * Carries out a plan, difference by difference; the trail has an entry before and one after each. One that fails does
 * not keep the others from being mended. When the login that does it no longer gets in at some server afterwards, all
 * is taken back, the last first.
 */
export async function applyChanges(
  workspace: Workspace,
  site: Site,
  planned: readonly PlannedChange[],
): Promise<Change[]> {
  const changes: Change[] = []
  for (const [done, difference] of planned.entries()) {
    workspace.signal.throwIfAborted()
    workspace.log.progress({ done, total: planned.length, unit: 'changes' })
    await record(workspace, difference, 'intent', {})
    const reason = await whyNotMade(workspace, site, difference)
    const outcome = reason === null ? 'done' : 'failed'
    await record(workspace, difference, 'outcome', { outcome, reason })
    changes.push(showChange(difference, outcome, reason))
  }
  const why = await whyLockedOutOf(site.servers, workspace)
  return why === undefined ? changes : takeBack(workspace, site, changes, why)
}

async function record(
  workspace: Workspace,
  { host, kind, rule, subject, fix, undo }: Difference,
  phase: 'intent' | 'outcome',
  more: Record<string, unknown>,
): Promise<void> {
  const details = { host, kind, rule, fix, undo, ...more }
  await recordInTrail(workspace, { phase, action: 'access.enforce', subject, details })
}

/** Mends a difference. @returns why that did not go; null where it did */
async function whyNotMade(
  workspace: Workspace,
  { primary, servers }: Site,
  { host, kind, role, fix, line, granted }: PlannedChange,
): Promise<string | null> {
  const { signal } = workspace
  const server = servers.find((each) => each.host === host)
  if (!server) throw new Error('a plan for a server that is not open')
  try {
    if (granted) {
      await setHbaLines(server, granted, workspace)
      return null
    }
    if (kind === 'pg_hba line') {
      const rewrite = (text: string) => (line ? withoutLine(text, line) : text)
      await rewriteHba(server, { rewrite }, workspace)
      return null
    }
    if (kind === 'session' && role !== null) {
      await endSessions(server.database, role)
      return null
    }
    await primary.database.query(fix)
    if (kind !== 'login' || role === null) return null
    const reasons: string[] = []
    for (const each of servers) {
      const { reason } = await endLogin(each.database, role, signal)
      if (reason !== null) reasons.push(`${each.host}: ${reason}`)
    }
    return reasons.length === 0 ? null : reasons.join('; ')
  } catch (error) {
    const isExpected = error instanceof StatementError || error instanceof ExpectedError
    if (!isExpected || signal.aborted) throw error
    return error.message
  }
}

async function whyLockedOutOf(
  servers: readonly OpenServer[],
  { log, signal }: Workspace,
): Promise<string | undefined> {
  for (const { host, database } of servers) {
    const why = await whyLockedOut(database, { database, log, signal })
    if (why !== undefined) return `${host}: ${why}`
  }
  return undefined
}

/**
 * Takes back what was done to roles, the last first. Ended sessions stay ended, and each change of pg_hba.conf has been
 * tried by itself.
 */
async function takeBack(
  workspace: Workspace,
  { primary }: Site,
  changes: readonly Change[],
  why: string,
): Promise<Change[]> {
  const taken: Change[] = []
  for (const change of [...changes].reverse()) {
    if (['session', 'pg_hba line'].includes(change.kind) || change.outcome === 'failed') {
      taken.unshift(change)
      continue
    }
    await primary.database.query(change.undo)
    await record(workspace, change, 'outcome', { outcome: 'undone', reason: why })
    taken.unshift({ ...change, outcome: 'undone', reason: why })
  }
  return taken
}
