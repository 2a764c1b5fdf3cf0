import type { Queryable, Transaction } from '../database/database.js'
import type { Campaign, CampaignState, Pace } from './types.js'
import type { Parameters } from './operation.js'

/** The channel on which everybody who runs or watches a campaign hears that its state was changed. */
export const CHANNEL = 'cleverctl_campaign'

const COLUMNS = `campaign.id, campaign.operation, campaign.parameters, campaign.pace, campaign.state,
  campaign.reason, campaign.state_since as "stateSince", campaign.wave,
  campaign.wave_opens_at as "waveOpensAt", campaign.watched_from as "watchedFrom",
  campaign.is_detached as "isDetached", campaign.created_at as "createdAt",
  campaign.created_by as "createdBy"`

/** Lets one process at a time start a campaign, so that what it finds free is free. */
export async function lockStart(transaction: Transaction): Promise<void> {
  await transaction.query(
    `select pg_advisory_xact_lock(hashtextextended('cleverctl.campaign.start', 0))`,
  )
}

/** Adds a campaign in its first wave. */
export async function insertCampaign(
  transaction: Transaction,
  campaign: {
    operation: string
    parameters: Parameters
    pace: Pace
    fingerprint: Buffer
    isDetached: boolean
    createdBy: string
    now: Date
  },
): Promise<Campaign> {
  const { operation, parameters, pace, fingerprint, isDetached, createdBy, now } = campaign
  const { rows } = await transaction.query<Campaign>(
    `insert into cleverctl.campaign
       (operation, parameters, pace, fingerprint, is_detached, created_by, created_at, state_since, watched_from)
     values ($1, $2, $3, $4, $5, $6, $7, $7, $7)
     returning ${COLUMNS}`,
    [
      operation,
      JSON.stringify(parameters),
      JSON.stringify(pace),
      fingerprint,
      isDetached,
      createdBy,
      now,
    ],
  )
  const [row] = rows
  if (row === undefined) throw new Error('the new campaign has no row')
  return row
}

/** The campaign with this id; undefined when there is none. */
export async function selectCampaign(
  queryable: Queryable,
  id: string,
): Promise<Campaign | undefined> {
  const { rows } = await queryable.query<Campaign>(
    `select ${COLUMNS} from cleverctl.campaign where id = $1`,
    [id],
  )
  return rows[0]
}

/** The same, and nobody else changes its state until the transaction ends. */
export async function lockCampaign(
  transaction: Transaction,
  id: string,
): Promise<Campaign | undefined> {
  const { rows } = await transaction.query<Campaign>(
    `select ${COLUMNS} from cleverctl.campaign where id = $1 for no key update`,
    [id],
  )
  return rows[0]
}

/** The unfinished campaign that the same command made; undefined when there is none. */
export async function selectByFingerprint(
  queryable: Queryable,
  fingerprint: Buffer,
): Promise<Campaign | undefined> {
  const { rows } = await queryable.query<Campaign>(
    `select ${COLUMNS} from cleverctl.campaign
     where fingerprint = $1 and state not in ('aborted', 'done') order by id limit 1`,
    [fingerprint],
  )
  return rows[0]
}

/** Campaigns, newest first, with how far each has come. */
export async function selectCampaigns(
  queryable: Queryable,
  page: { before: string | undefined; limit: number },
): Promise<(Campaign & { targets: number; left: number; failed: number })[]> {
  const { rows } = await queryable.query<
    Campaign & { targets: number; left: number; failed: number }
  >(
    `select ${COLUMNS}, counted.targets::float8 as targets, counted.left::float8 as left,
       counted.failed::float8 as failed
     from (
       select * from cleverctl.campaign where $1::bigint is null or id < $1 order by id desc limit $2
     ) as campaign
     cross join lateral (
       select count(*) as targets, count(*) filter (where state in ('waiting', 'running')) as left,
         count(*) filter (where state = 'failed') as failed
       from cleverctl.campaign_target where campaign_id = campaign.id
     ) as counted
     order by campaign.id desc`,
    [page.before ?? null, page.limit],
  )
  return rows
}

/** Running campaigns that are left to workers. */
export async function selectDetached(queryable: Queryable): Promise<string[]> {
  const { rows } = await queryable.query<{ id: string }>(
    `select id from cleverctl.campaign where state = 'running' and is_detached order by id`,
  )
  return rows.map(({ id }) => id)
}

/** Brings a campaign into another state, and tells everybody who listens. */
export async function updateState(
  transaction: Transaction,
  id: string,
  change: { state: CampaignState; reason: string | null; now: Date },
): Promise<void> {
  await transaction.query(
    `update cleverctl.campaign set state = $2, reason = $3, state_since = $4 where id = $1`,
    [id, change.state, change.reason, change.now],
  )
  await notify(transaction, id)
}

/** Lets a campaign run from now on, in this process or by workers. */
export async function updateResumed(
  transaction: Transaction,
  id: string,
  change: { isDetached: boolean; now: Date },
): Promise<void> {
  await transaction.query(
    `update cleverctl.campaign set is_detached = $2, state = 'running', reason = null,
       state_since = case when state = 'running' then state_since else $3::timestamptz end,
       -- What was recorded in this very millisecond came before.
       watched_from = case when state = 'running' then watched_from
         else $3::timestamptz + interval '1 millisecond' end
     where id = $1`,
    [id, change.isDetached, change.now],
  )
  await notify(transaction, id)
}

/** Goes on to another wave. */
export async function updateWave(
  transaction: Transaction,
  id: string,
  change: { wave: number; opensAt: Date | null },
): Promise<void> {
  await transaction.query(
    `update cleverctl.campaign set wave = $2, wave_opens_at = $3 where id = $1`,
    [id, change.wave, change.opensAt],
  )
  await notify(transaction, id)
}

async function notify(transaction: Transaction, id: string): Promise<void> {
  await transaction.query(`select pg_notify('${CHANNEL}', $1)`, [id])
}
