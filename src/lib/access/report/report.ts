import { FindingsError } from '../../errors.js'
import { TrailChain } from '../../trail/chain.js'
import { readTrail } from '../../trail/store.js'
import type { Workspace } from '../../workspace.js'
import { listAcceptances } from '../acceptance/list.js'
import { SEVERITIES } from '../audit/types.js'
import { selectGrantsOfPeriod, showGrant } from '../grant/store.js'
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
import type { AccessReport, FindingsPart, ReportedGrant, TrailPart } from './types.js'

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
 * @throws FindingsError when the trail is broken; the report is its result, and its files are written
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
    findings,
    acceptances: acceptances.filter(
      ({ state, until: lastDay, withdrawnAt }) =>
        state === 'valid' || (withdrawnAt ?? lastDay) >= since.toISOString().slice(0, 10),
    ),
    grants: await grantsPart(workspace, period, limit),
    drills: await selectDrills(database, period, limit),
    copies: await selectCopies(database, period, limit),
    trail: await trailPart(workspace),
    files: [],
  }
  await writeFiles(workspace, report, allOpen, files)
  if (report.trail.isSound) return report
  throw new FindingsError('trail-broken', 'the trail was changed by other hands', {
    result: report,
    suggestions: ['cleverctl trail verify'],
  })
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

async function trailPart({ database, signal }: Workspace): Promise<TrailPart> {
  const verdict = await readTrail(database, async ({ head, pages }) => {
    const chain = new TrailChain()
    for await (const rows of pages) {
      signal.throwIfAborted()
      for (const row of rows) chain.add(row)
    }
    return chain.finish(head)
  })
  return { ...verdict, isSound: verdict.problems.length + verdict.unlistedProblems === 0 }
}
