import type { Queryable, Transaction } from '../database/database.js'
import type { TargetState } from './types.js'
import type { Site } from './window.js'

/** A target that this process has taken on. */
export interface Claim {
  position: number
  target: string
  attempt: number
  /** Null as long as nobody has looked at it. */
  readyAt: Date | null
  /** Null where it stands nowhere that is known. */
  site: Site | null
}

/** Who takes targets, of which campaign. */
export interface Claimant {
  campaign: string
  runner: string
  now: Date
}

/**
 * Takes on waiting targets of the wave under way, while the campaign runs in the way of this claimant.
 * @param of.isDetached whether the claimant is one of the workers
 * @param of.position this target and no other
 */
export async function claimTargets(
  queryable: Queryable,
  of: Claimant & { isDetached: boolean; limit: number; position?: number | undefined },
): Promise<Claim[]> {
  const isOne = of.position !== undefined
  const { rows } = await queryable.query<ClaimColumns>({
    name: isOne ? 'campaign_claim_one' : 'campaign_claim',
    text: `with free as materialized (
        select target.campaign_id, target.position from cleverctl.campaign
        join cleverctl.campaign_target as target
          on target.campaign_id = campaign.id and target.wave = campaign.wave
        where campaign.id = $1 and campaign.state = 'running' and campaign.is_detached = $4
          and (campaign.wave_opens_at is null or campaign.wave_opens_at <= $3)
          and target.state = 'waiting' and (target.ready_at is null or target.ready_at <= $3)
          ${isOne ? 'and target.position = $6' : ''}
        order by target.position limit $5
        for update of target skip locked
      ), claimed as (
        update cleverctl.campaign_target as target
        set state = 'running', runner = $2, attempt = target.attempt + 1, started_at = $3
        from free where target.campaign_id = free.campaign_id and target.position = free.position
        returning target.position, target.target, target.attempt, target.ready_at, target.installation_id
      )
      select claimed.*, installation.timezone, installation.latitude, installation.longitude
      from claimed left join cleverctl.installation on installation.id = claimed.installation_id
      order by claimed.position`,
    values: [
      of.campaign,
      of.runner,
      of.now,
      of.isDetached,
      of.limit,
      ...(isOne ? [of.position] : []),
    ],
  })
  return rows.map(toClaim)
}

interface ClaimColumns {
  position: number
  target: string
  attempt: number
  ready_at: Date | null
  timezone: string | null
  latitude: number | null
  longitude: number | null
}

function toClaim(row: ClaimColumns): Claim {
  const { position, target, attempt, ready_at: readyAt, timezone, latitude, longitude } = row
  const site =
    timezone === null || latitude === null || longitude === null
      ? null
      : { timezone, latitude, longitude }
  return { position, target, attempt, readyAt, site }
}

/** Puts claimed targets back that were not started, for later. */
export async function postponeTargets(
  queryable: Queryable,
  { campaign, runner }: Omit<Claimant, 'now'>,
  later: readonly { position: number; readyAt: Date }[],
): Promise<void> {
  await queryable.query(
    `update cleverctl.campaign_target as target
     set state = 'waiting', runner = null, attempt = attempt - 1, started_at = null,
       ready_at = later.ready_at, queued_at = null
     from unnest($3::integer[], $4::timestamptz[]) as later (position, ready_at)
     where target.campaign_id = $1 and target.position = later.position and target.runner = $2`,
    [campaign, runner, later.map(({ position }) => position), later.map(({ readyAt }) => readyAt)],
  )
}

/** Whether this runner still holds a target; the row is locked until the transaction ends. */
export async function lockClaim(
  transaction: Transaction,
  { campaign, runner }: Omit<Claimant, 'now'>,
  { position, attempt }: Pick<Claim, 'position' | 'attempt'>,
): Promise<boolean> {
  const { rowCount } = await transaction.query({
    name: 'campaign_lock_claim',
    text: `select from cleverctl.campaign_target
      where campaign_id = $1 and position = $2 and runner = $3 and attempt = $4 and state = 'running'
      for no key update`,
    values: [campaign, position, runner, attempt],
  })
  return rowCount === 1
}

/** Records what became of a target that {@link lockClaim} has locked. */
export async function finishTarget(
  transaction: Transaction,
  { campaign, now }: Omit<Claimant, 'runner'>,
  finished: {
    position: number
    state: TargetState
    code: string | null
    message: string | null
    /** Whether the refusals up to now are to be kept, for the stop rule. */
    isWatched: boolean
  },
): Promise<void> {
  await transaction.query({
    name: 'campaign_finish_target',
    text: `update cleverctl.campaign_target as target
      set state = $3, runner = null, finished_at = $4, error_code = $5, error_message = $6,
        refusals_before = case when $7::boolean then (
          select coalesce(sum(refusal.count), 0) from cleverctl.refusal
          where refusal.hour = date_trunc('hour', $4::timestamptz)
            and refusal.installation_id = target.installation_id)
        end
      where campaign_id = $1 and position = $2`,
    values: [
      campaign,
      finished.position,
      finished.state,
      now,
      finished.code,
      finished.message,
      finished.isWatched,
    ],
  })
}

/** Gives back targets that this runner has begun and could not finish. */
export async function releaseTargets(
  queryable: Queryable,
  { campaign, runner }: Omit<Claimant, 'now'>,
  positions: readonly number[],
): Promise<void> {
  await queryable.query(
    `update cleverctl.campaign_target set state = 'waiting', runner = null, queued_at = null
     where campaign_id = $1 and runner = $2 and position = any($3::integer[])`,
    [campaign, runner, positions],
  )
}

/**
 * Takes targets from runners that are gone. A target that was begun too often is counted as failed: whatever
 * ends its runners would end the next one.
 * @returns how many were taken
 */
export async function releaseLost(
  queryable: Queryable,
  { campaign, runner, now }: Claimant,
  maxAttempts: number,
): Promise<number> {
  const { rowCount } = await queryable.query(
    `update cleverctl.campaign_target as target set
       state = case when attempt < $3 then 'waiting' else 'failed' end,
       error_code = case when attempt < $3 then null else 'runner-lost' end,
       error_message = case when attempt < $3 then null
         else 'whoever worked on it ended in the middle, ' || attempt || ' times' end,
       finished_at = case when attempt < $3 then null else $4::timestamptz end,
       runner = null, queued_at = null
     where campaign_id = $1 and state = 'running' and runner <> $2
       and pg_try_advisory_xact_lock_shared(hashtextextended('cleverctl.campaign.runner ' || runner, 0))`,
    [campaign, runner, maxAttempts, now],
  )
  return rowCount ?? 0
}
