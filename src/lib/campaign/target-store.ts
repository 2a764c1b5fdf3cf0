import type { Queryable, Transaction } from '../database/database.js'
import type { Counts } from './types.js'

/** The targets of a campaign that are as they were wanted, in order. */
export async function selectSucceeded(queryable: Queryable, campaign: string): Promise<string[]> {
  const { rows } = await queryable.query<{ target: string }>(
    `select target from cleverctl.campaign_target
     where campaign_id = $1 and state in ('done', 'unchanged') order by position`,
    [campaign],
  )
  return rows.map(({ target }) => target)
}

/** Skips all targets that were not started. @returns how many */
export async function skipWaiting(
  transaction: Transaction,
  campaign: string,
  now: Date,
): Promise<number> {
  const { rowCount } = await transaction.query(
    `update cleverctl.campaign_target set state = 'skipped', finished_at = $2
     where campaign_id = $1 and state = 'waiting'`,
    [campaign, now],
  )
  return rowCount ?? 0
}

/** Lets failed targets wait once more. @returns how many, and the first wave that has one */
export async function retryFailed(
  transaction: Transaction,
  campaign: string,
): Promise<{ count: number; wave: number | undefined }> {
  const { rows } = await transaction.query<{ wave: number }>(
    `update cleverctl.campaign_target
     set state = 'waiting', error_code = null, error_message = null, attempt = 0, finished_at = null,
       queued_at = null
     where campaign_id = $1 and state = 'failed' returning wave`,
    [campaign],
  )
  const waves = rows.map(({ wave }) => wave)
  return { count: rows.length, wave: waves.length === 0 ? undefined : Math.min(...waves) }
}

/** Forgets what was given to the job queue: it is given again to whoever goes on. */
export async function forgetQueued(transaction: Transaction, campaign: string): Promise<void> {
  await transaction.query(
    `update cleverctl.campaign_target set queued_at = null
     where campaign_id = $1 and state = 'waiting' and queued_at is not null`,
    [campaign],
  )
}

/** How many targets of each wave are in which state, and the first target of each. */
export async function countByWave(
  queryable: Queryable,
  campaign: string,
): Promise<({ wave: number; targets: number; first: string } & Counts)[]> {
  const { rows } = await queryable.query<{ wave: number; targets: number; first: string } & Counts>(
    `select counted.*, first.target as first from (
       select wave, count(*)::integer as targets, min(position) as position,
         count(*) filter (where state = 'waiting')::integer as waiting,
         count(*) filter (where state = 'running')::integer as running,
         count(*) filter (where state = 'done')::integer as done,
         count(*) filter (where state = 'unchanged')::integer as unchanged,
         count(*) filter (where state = 'failed')::integer as failed,
         count(*) filter (where state = 'skipped')::integer as skipped
       from cleverctl.campaign_target where campaign_id = $1 group by wave
     ) as counted
     join cleverctl.campaign_target as first
       on first.campaign_id = $1 and first.position = counted.position
     order by counted.wave`,
    [campaign],
  )
  return rows
}

/** What is left in the wave under way, and what comes after it. */
export interface WaveState {
  waiting: number
  running: number
  /** The earliest moment at which one of those that wait may start; null where one may start now. */
  readyAt: Date | null
  /** The next wave that has targets to start; null when this is the last one. */
  next: number | null
}

/** How the wave under way stands. */
export async function selectWaveState(
  queryable: Queryable,
  campaign: { id: string; wave: number },
): Promise<WaveState> {
  const { rows } = await queryable.query<WaveState>(
    `select counted.*,
       (select min(wave) from cleverctl.campaign_target
        where campaign_id = $1 and wave <> $2 and state = 'waiting') as next
     from (
       select count(*) filter (where state = 'waiting')::integer as waiting,
         count(*) filter (where state = 'running')::integer as running,
         case when not bool_or(state = 'waiting' and ready_at is null)
           then min(ready_at) filter (where state = 'waiting') end as "readyAt"
       from cleverctl.campaign_target
       where campaign_id = $1 and wave = $2 and state in ('waiting', 'running')
     ) as counted`,
    [campaign.id, campaign.wave],
  )
  const [row] = rows
  if (row === undefined) throw new Error('counting gave no row')
  return row
}

/** Targets that failed, in order. */
export async function selectFailed(
  queryable: Queryable,
  campaign: string,
  limit: number,
): Promise<{ target: string; code: string; message: string; attempts: number }[]> {
  const { rows } = await queryable.query<{
    target: string
    code: string
    message: string
    attempts: number
  }>(
    `select target, error_code as code, error_message as message, attempt as attempts
     from cleverctl.campaign_target where campaign_id = $1 and state = 'failed'
     order by position limit $2`,
    [campaign, limit],
  )
  return rows
}
