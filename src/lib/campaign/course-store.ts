import type { Queryable } from '../database/database.js'
import type { Course } from './stop-rule.js'
import type { Campaign } from './types.js'

/** Fewer refusals of a plant say nothing: a logger that tries three times makes three. */
const LEAST_REFUSALS = 5
/** A rise is more than so many times what it was. */
const RISE = 2
/** What is usual is taken from so many hours before the campaign. */
const HOURS_BEFORE = 24

/** What the stop rules look at. */
export async function selectCourse(
  queryable: Queryable,
  campaign: Campaign,
  now: Date,
): Promise<Course> {
  const { id, wave, watchedFrom, pace } = campaign
  const { rows } = await queryable.query<Omit<Course, 'done' | 'refused'>>(
    `select count(*)::integer as failed,
       count(*) filter (where wave = $2)::integer as "failedInWave",
       case when count(*) = 0 then 0 else (
         select count(*)::integer from cleverctl.campaign_target where campaign_id = $1 and wave = $2
       ) end as "targetsInWave"
     from cleverctl.campaign_target
     where campaign_id = $1 and state = 'failed' and finished_at >= $3`,
    [id, wave, watchedFrom],
  )
  const [counted] = rows
  if (counted === undefined) throw new Error('counting gave no row')
  if (pace.maxRefusals === null) return { ...counted, done: 0, refused: 0 }
  return { ...counted, ...(await countRefused(queryable, campaign, now)) }
}

/**
 * At how many of the targets that are done the gate has refused more than it used to: at least
 * {@link LEAST_REFUSALS} times since then, and more than {@link RISE} times as often in an hour as in the
 * {@link HOURS_BEFORE} hours before the campaign. Less than an hour counts as one.
 */
async function countRefused(
  queryable: Queryable,
  { id, watchedFrom, createdAt }: Campaign,
  now: Date,
): Promise<{ done: number; refused: number }> {
  const { rows } = await queryable.query<{ done: number; refused: number }>(
    `with finished as (
       select installation_id, finished_at, refusals_before,
         greatest(extract(epoch from $3::timestamptz - finished_at) / 3600, 1) as hours
       from cleverctl.campaign_target
       where campaign_id = $1 and state = 'done' and finished_at >= $2
     ), refusal as (
       select installation_id, hour, sum(count) as count from cleverctl.refusal
       where hour >= date_trunc('hour', $4::timestamptz) - make_interval(hours => $5)
         and installation_id in (select installation_id from finished)
       group by installation_id, hour
     ), compared as (
       select finished.installation_id, finished.hours,
         coalesce(sum(refusal.count) filter (
           where refusal.hour >= date_trunc('hour', finished.finished_at)), 0)
           - coalesce(finished.refusals_before, 0) as since,
         coalesce(sum(refusal.count) filter (
           where refusal.hour < date_trunc('hour', $4::timestamptz)), 0) / $5 as usual
       from finished left join refusal using (installation_id)
       group by finished.installation_id, finished.finished_at, finished.refusals_before, finished.hours
     )
     select count(*)::integer as done,
       count(*) filter (where since >= $6 and since > $7 * usual * hours)::integer as refused
     from compared`,
    [id, watchedFrom, now, createdAt, HOURS_BEFORE, LEAST_REFUSALS, RISE],
  )
  return rows[0] ?? { done: 0, refused: 0 }
}
