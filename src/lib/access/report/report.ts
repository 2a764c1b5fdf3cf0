import { FindingsError } from '../../errors.js'
import type { TrailVerdict } from '../../trail/chain.js'
import { verifyTrail } from '../../trail/verify.js'
import type { Workspace } from '../../workspace.js'
import { listAcceptances } from '../acceptance/list.js'
import { SEVERITIES } from '../audit/types.js'
import { selectGrantsOfPeriod, showGrant } from '../grant/store.js'
import { selectSessions } from '../sessions/ledger/store.js'
import { verifyLedger } from '../sessions/ledger/verify.js'
import { selectCopies, selectDrills } from './estate-store.js'
import { requirePlaces, writeFiles, type ReportFiles } from './files.js'
import {
  countAudits,
  selectNotChecked,
  selectOpenFindings,
  selectOverTime,
  selectServers,
} from './findings-store.js'
import { periodOf, type Period } from './period.js'
import { countLedger, selectPeople, selectSessionsOverTime } from './sessions-store.js'
import type { AccessReport, FindingsPart, ReportedGrant, SessionsPart, TrailPart } from './types.js'

/** What a report is to tell. */
export interface ReportQuestion {
  /** How far back, in milliseconds. */
  sinceMs: number
  /** Rows of each list at most. */
  limit: number
  files: ReportFiles
}

/**
 * Tells auditors who may reach the databases and what proves it, from what the cleverctl database keeps; no
 * server is asked anything. Files are written whole or not at all, one after the other.
 * @throws UsageError for a place where no file can be written, FailureError when one cannot be written
 * @throws FindingsError when the trail or the ledger of sessions is broken; the report is its result, and its files are written
 */
export async function reportAccess(
  workspace: Workspace,
  { sinceMs, limit, files }: ReportQuestion,
): Promise<AccessReport> {
  const { database, clock } = workspace
  await requirePlaces(files)
  const period = periodOf(clock.now(), sinceMs)
  const { since, until } = period
  const { part: findings, allOpen } = await findingsPart(workspace, period, limit)
  const acceptances = await listAcceptances(workspace, { withWithdrawn: true })
  const report: AccessReport = {
    since: since.toISOString(),
    until: until.toISOString(),
    database: database.target.description,
    sessions: await sessionsPart(workspace, period, limit),
    findings,
    acceptances: acceptances.filter(
      ({ state, until: lastDay, withdrawnAt }) =>
        state === 'valid' || (withdrawnAt ?? lastDay) >= since.toISOString().slice(0, 10),
    ),
    grants: await grantsPart(workspace, period, limit),
    drills: await selectDrills(database, period, limit),
    copies: await selectCopies(database, period, limit),
    trail: await chainPart(verifyTrail(workspace)),
    files: [],
  }
  await writeFiles(report, allOpen, files)
  const broken = [
    ...(report.trail.isSound ? [] : ['the trail']),
    ...(report.sessions.ledger.isSound ? [] : ['the ledger of sessions']),
  ]
  if (broken.length === 0) return report
  throw new FindingsError('trail-broken', `${broken.join(' and ')}: changed by other hands`, {
    result: report,
    suggestions: ['cleverctl trail verify', 'cleverctl access sessions verify'],
  })
}

async function sessionsPart(
  workspace: Workspace,
  period: Period,
  limit: number,
): Promise<SessionsPart> {
  const { database } = workspace
  const totals = await countLedger(database, period)
  const all = { since: period.since, who: undefined, flag: undefined, server: undefined }
  const rows = await selectSessions(database, all, limit)
  return {
    ...totals,
    step: period.step,
    overTime: await selectSessionsOverTime(database, period),
    people: await selectPeople(database, period, limit),
    latest: { rows, total: Math.max(totals.total, rows.length) },
    ledger: await chainPart(verifyLedger(workspace)),
  }
}

async function findingsPart({ database }: Workspace, period: Period, limit: number) {
  const allOpen = await selectOpenFindings(database)
  const counts = Object.fromEntries(
    SEVERITIES.map((severity) => [
      severity,
      allOpen.filter((finding) => finding.severity === severity).length,
    ]),
  ) as FindingsPart['counts']
  const part: FindingsPart = {
    ...(await countAudits(database, period)),
    step: period.step,
    overTime: await selectOverTime(database, period),
    open: { rows: allOpen.slice(0, limit), total: allOpen.length },
    counts,
    servers: await selectServers(database),
    notChecked: await selectNotChecked(database),
  }
  return { part, allOpen }
}

async function grantsPart(
  { database }: Workspace,
  period: Period,
  limit: number,
): Promise<AccessReport['grants']> {
  const { rows, total } = await selectGrantsOfPeriod(database, period, limit)
  const shown = (row: (typeof rows)[number]): ReportedGrant => ({
    ...showGrant(row),
    grantedBy: row.grantedBy,
  })
  return { rows: rows.map(shown), total }
}

/** What a chain's check says, sound or not. */
async function chainPart(check: Promise<TrailVerdict>): Promise<TrailPart> {
  try {
    return { ...(await check), isSound: true }
  } catch (error) {
    if (!(error instanceof FindingsError) || error.code !== 'trail-broken') throw error
    return { ...(error.result as TrailVerdict), isSound: false }
  }
}
