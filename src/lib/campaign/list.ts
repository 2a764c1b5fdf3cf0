import { UsageError } from '../errors.js'
import type { Workspace } from '../workspace.js'
import { selectCampaigns } from './store.js'
import type { CampaignState } from './types.js'

/** A campaign in a list. */
export interface ListedCampaign {
  id: string
  operation: string
  state: CampaignState
  reason: string | null
  stateSince: string
  detached: boolean
  targets: number
  /** Waiting or running. */
  left: number
  failed: number
  createdAt: string
  createdBy: string
}

/** A page of campaigns. */
export interface CampaignPage {
  campaigns: ListedCampaign[]
  /** Where the next page begins; absent on the last one. */
  nextCursor?: string
}

/** Campaigns, newest first. Throws UsageError for a cursor that no page gave. */
export async function listCampaigns(
  { database }: Workspace,
  { limit, cursor }: { limit: number; cursor: string | undefined },
): Promise<CampaignPage> {
  if (cursor !== undefined && !/^\d{1,18}$/.test(cursor))
    throw new UsageError('bad-cursor', 'the cursor is not the nextCursor of a page')
  const rows = await selectCampaigns(database, { before: cursor, limit: limit + 1 })
  const campaigns = rows.slice(0, limit).map((row): ListedCampaign => ({
    id: row.id,
    operation: row.operation,
    state: row.state,
    reason: row.reason,
    stateSince: row.stateSince.toISOString(),
    detached: row.isDetached,
    targets: row.targets,
    left: row.left,
    failed: row.failed,
    createdAt: row.createdAt.toISOString(),
    createdBy: row.createdBy,
  }))
  const last = campaigns.at(-1)
  return rows.length > limit && last !== undefined
    ? { campaigns, nextCursor: last.id }
    : { campaigns }
}
