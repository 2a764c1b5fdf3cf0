import type { Workspace } from '../workspace.js'
import { selectRefusals, type RefusalGrouping, type RefusalRow } from './refusal-store.js'
import { meaningOf, type Requirement } from './types.js'

/** Refused arrivals of one kind. Columns that the grouping sums over are null. */
export interface ShownRefusal {
  code: string
  requirement: Requirement
  meaning: string
  installation: string | null
  serial: string | null
  keyId: string | null
  route: string | null
  count: number
  firstAt: string
  lastAt: string
  lastAddress: string | null
  lastRequestId: string
}

/** How far back an engineer sees unless another time is asked for. */
const SINCE_MS = 24 * 60 * 60_000

/**
 * The refused arrivals since a while ago, the latest first.
 * @param asked.sinceMs how far back, in milliseconds; a day where absent. Counts are kept by the hour, so the
 * first hour counts whole.
 * @param asked.by sums up by this; undefined shows each kind by itself
 */
export async function listRefusals(
  workspace: Workspace,
  asked: { sinceMs: number | undefined; by: RefusalGrouping | undefined; limit: number },
): Promise<{ since: string; refusals: ShownRefusal[] }> {
  const since = new Date(workspace.clock.now().getTime() - (asked.sinceMs ?? SINCE_MS))
  const { by, limit } = asked
  const rows = await selectRefusals(workspace.database, { since, by, limit })
  return { since: since.toISOString(), refusals: rows.map(show) }
}

function show({ count, firstAt, lastAt, ...row }: RefusalRow): ShownRefusal {
  return {
    ...row,
    meaning: meaningOf(row.code),
    count: Number(count),
    firstAt: firstAt.toISOString(),
    lastAt: lastAt.toISOString(),
  }
}
