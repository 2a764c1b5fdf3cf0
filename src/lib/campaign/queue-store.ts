import type { Queryable, Transaction } from '../database/database.js'
import { QUEUE_SCHEMA } from '../database/job-queue.js'
import type { Claim } from './claim-store.js'

/** What workers call a target in the job queue. */
export const TASK = 'campaign-target'

/** A job: one target of a campaign. */
export interface Job {
  campaign: string
  position: number
}

/** By this lock others know that one of the queue's own workers is alive. */
export function workerLock(workerId: string): string {
  return `cleverctl.campaign.worker ${workerId}`
}

/** How many targets of a wave are in the queue and not yet begun. */
export async function countQueued(
  queryable: Queryable,
  campaign: { id: string; wave: number },
): Promise<number> {
  const { rows } = await queryable.query<{ count: number }>(
    `select count(*)::integer as count from cleverctl.campaign_target
     where campaign_id = $1 and wave = $2 and state = 'waiting' and queued_at is not null`,
    [campaign.id, campaign.wave],
  )
  return rows[0]?.count ?? 0
}

/** Targets of a wave that are due and not in the queue; nobody else gives them out until the transaction ends. */
export async function lockDue(
  transaction: Transaction,
  of: { campaign: string; wave: number; now: Date; limit: number },
): Promise<Pick<Claim, 'position' | 'target' | 'readyAt' | 'site'>[]> {
  const { rows } = await transaction.query<{
    position: number
    target: string
    readyAt: Date | null
    timezone: string | null
    latitude: number
    longitude: number
  }>(
    `select target.position, target.target, target.ready_at as "readyAt",
       installation.timezone, installation.latitude, installation.longitude
     from cleverctl.campaign_target as target
     left join cleverctl.installation on installation.id = target.installation_id
     where target.campaign_id = $1 and target.wave = $2 and target.state = 'waiting'
       and target.queued_at is null and (target.ready_at is null or target.ready_at <= $3)
     order by target.position limit $4
     for update of target skip locked`,
    [of.campaign, of.wave, of.now, of.limit],
  )
  return rows.map(({ timezone, latitude, longitude, ...row }) => ({
    ...row,
    site: timezone === null ? null : { timezone, latitude, longitude },
  }))
}

/** Puts targets into the queue, in order. A job of the same target that waits there is replaced. */
export async function insertJobs(
  transaction: Transaction,
  { campaign, now }: { campaign: string; now: Date },
  positions: readonly number[],
): Promise<void> {
  await transaction.query(
    `select count(*) from ${QUEUE_SCHEMA}.add_jobs(array(
       select row($3, json_build_object('campaign', $1::text, 'position', position), null, null, null,
         'campaign ' || $1::text || ' ' || position, null, null)::${QUEUE_SCHEMA}.job_spec
       from unnest($2::integer[]) with ordinality as due (position, rank) order by rank))`,
    [campaign, positions, TASK],
  )
  await transaction.query(
    `update cleverctl.campaign_target set queued_at = $3
     where campaign_id = $1 and position = any($2::integer[])`,
    [campaign, positions, now],
  )
}

/** A target that still waits is in the queue no more. */
export async function forgetJob(queryable: Queryable, { campaign, position }: Job): Promise<void> {
  await queryable.query(
    `update cleverctl.campaign_target set queued_at = null
     where campaign_id = $1 and position = $2 and state = 'waiting'`,
    [campaign, position],
  )
}

/** Puts off targets that may not start yet. */
export async function updateReady(
  transaction: Transaction,
  campaign: string,
  later: readonly { position: number; readyAt: Date }[],
): Promise<void> {
  await transaction.query(
    `update cleverctl.campaign_target as target set ready_at = later.ready_at
     from unnest($2::integer[], $3::timestamptz[]) as later (position, ready_at)
     where target.campaign_id = $1 and target.position = later.position`,
    [campaign, later.map(({ position }) => position), later.map(({ readyAt }) => readyAt)],
  )
}

/** Frees the jobs of workers that are gone. By itself the queue would wait four hours. */
export async function unlockLost(queryable: Queryable): Promise<void> {
  await queryable.query(
    `select ${QUEUE_SCHEMA}.force_unlock_workers(array_agg(worker))
     from (
       select distinct locked_by as worker from ${QUEUE_SCHEMA}._private_jobs where locked_by is not null
     ) as busy
     where pg_try_advisory_xact_lock_shared(hashtextextended('${workerLock('')}' || worker, 0))
     having count(*) > 0`,
  )
}
