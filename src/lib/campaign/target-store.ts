import type { Queryable, Transaction } from '../database/database.js'
import type { Counts, TargetState } from './types.js'
import type { Site } from './window.js'

/**
 * Which targets a campaign is to have, as a statement of the noun they belong to. It gives `target` (text),
 * `installation_id` (bigint or null) and `rank`, by which they are ordered.
 */
export interface Selection {
  text: string
  values: readonly unknown[]
}

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

/** The targets of a campaign that are as they were wanted, in order. */
export async function selectSucceeded(queryable: Queryable, campaign: string): Promise<string[]> {
  const { rows } = await queryable.query<{ target: string }>(
    `select target from cleverctl.campaign_target
     where campaign_id = $1 and state in ('done', 'unchanged') order by position`,
    [campaign],
  )
  return rows.map(({ target }) => target)
}

/** How many targets a selection has. */
export async function countSelected(queryable: Queryable, selection: Selection): Promise<number> {
  const { rows } = await queryable.query<{ count: number }>(
    `select count(*)::integer as count from (${selection.text}) as chosen`,
    [...selection.values],
  )
  return rows[0]?.count ?? 0
}

/** The first target of each wave, by the positions after which waves end. */
export async function selectFirsts(
  queryable: Queryable,
  selection: Selection,
  ends: readonly number[],
): Promise<string[]> {
  const firsts = [0, ...ends.slice(0, -1)].map((end) => end + 1)
  const { rows } = await queryable.query<{ target: string }>(
    `select target from (
       select target, row_number() over (order by rank, target) as position
       from (${selection.text}) as chosen
     ) as numbered where position = any($${selection.values.length + 1}::integer[]) order by position`,
    [...selection.values, firsts],
  )
  return rows.map(({ target }) => target)
}

/** Unfinished campaigns of an operation that hold some of the selected targets. */
export async function selectHolders(
  queryable: Queryable,
  operation: string,
  selection: Selection,
): Promise<{ campaign: string; targets: number; first: string }[]> {
  const { rows } = await queryable.query<{ campaign: string; targets: number; first: string }>(
    `select held.campaign_id as campaign, count(*)::integer as targets, min(held.target) as first
     from (${selection.text}) as chosen
     join cleverctl.campaign_target as held on held.operation = $${selection.values.length + 1}
       and held.target = chosen.target and held.state in ('waiting', 'running')
     group by held.campaign_id order by held.campaign_id`,
    [...selection.values, operation],
  )
  return rows
}

/** Adds the selected targets to a campaign, in one statement. @returns how many */
export async function insertTargets(
  transaction: Transaction,
  campaign: { id: string; operation: string; ends: readonly number[]; readyAt: Date | null },
  selection: Selection,
): Promise<number> {
  const first = selection.values.length + 1
  const starts = [0, ...campaign.ends.slice(0, -1)].map((end) => end + 1)
  const { rowCount } = await transaction.query(
    `insert into cleverctl.campaign_target
       (campaign_id, operation, ready_at, position, target, installation_id, wave)
     select $${first}::bigint, $${first + 1}, $${first + 2}::timestamptz, position, target, installation_id,
       width_bucket(position, $${first + 3}::integer[])
     from (
       select target, installation_id, (row_number() over (order by rank, target))::integer as position
       from (${selection.text}) as chosen
     ) as numbered`,
    [...selection.values, campaign.id, campaign.operation, campaign.readyAt, starts],
  )
  return rowCount ?? 0
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
