import type { Queryable, Transaction } from '../database/database.js'

/**
 * Which targets a campaign is to have, as a statement of the noun they belong to. It gives `target` (text),
 * `installation_id` (bigint or null) and `rank`, by which they are ordered.
 */
export interface Selection {
  text: string
  values: readonly unknown[]
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
