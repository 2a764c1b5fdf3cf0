import type { Queryable } from '../../database/database.js'
import type { Period } from './period.js'
import type { Listed, ReportedCopy, ReportedDrill } from './types.js'

/** Drills that ended in a period, the youngest first, with the row of the trail that has the signed evidence. */
export async function selectDrills(
  database: Queryable,
  { since, until }: Period,
  limit: number,
): Promise<Listed<ReportedDrill>> {
  const { rows } = await database.query<
    Omit<ReportedDrill, 'endedAt'> & { endedAt: Date; total: number }
  >(
    `with proof as materialized (
       select max(seq)::float8 as seq, action, (details->>'begunAt')::timestamptz as begun_at,
         coalesce(details->>'label', details->>'set') as subject
       from cleverctl.trail
       where trail.at >= $1 and phase = 'outcome' and action in ('backup.drill', 'snapshot.drill')
       group by 2, 3, 4
     )
     select kind, stanza, drill.host, drill.subject, result, ended_at as "endedAt", proof.seq as "trailRow",
       count(*) over ()::integer as total
     from cleverctl.drill left join proof
       on action = kind || '.drill' and proof.begun_at = drill.begun_at and proof.subject = drill.subject
     where ended_at between $1 and $2 order by ended_at desc, drill.id desc limit $3`,
    [since, until, limit],
  )
  return {
    total: rows[0]?.total ?? 0,
    rows: rows.map(({ total: _total, endedAt, ...drill }) => ({
      ...drill,
      endedAt: endedAt.toISOString(),
    })),
  }
}

/** Backups and sets of snapshots that were made in a period, the youngest first, and when a drill proved them. */
export async function selectCopies(
  database: Queryable,
  { since, until }: Period,
  limit: number,
): Promise<Listed<ReportedCopy>> {
  const { rows } = await database.query<
    Omit<ReportedCopy, 'at' | 'provenAt'> & { at: Date; provenAt: Date | null; total: number }
  >(
    `with copy as (
       select 'backup' as kind, stanza, label as subject, counted_at as at,
         jsonb_array_length(tables) || case jsonb_array_length(tables) when 1 then ' table' else ' tables' end
           || ' counted on ' || host as content
       from cleverctl.backup_count
       union all
       select 'snapshot', stanza, name, begun_at, state || ', ' || (
         select count(*) from cleverctl.snapshot where set_id = snapshot_set.id and state = 'taken') || ' hosts'
       from cleverctl.snapshot_set
     )
     select copy.*, (
         select max(ended_at) from cleverctl.drill
         where drill.kind = copy.kind and drill.stanza = copy.stanza and drill.subject = copy.subject
           and result = 'proven'
       ) as "provenAt", count(*) over ()::integer as total
     from copy where at between $1 and $2 order by at desc, subject limit $3`,
    [since, until, limit],
  )
  return {
    total: rows[0]?.total ?? 0,
    rows: rows.map(({ total: _total, at, provenAt, ...copy }) => ({
      ...copy,
      at: at.toISOString(),
      provenAt: provenAt?.toISOString() ?? null,
    })),
  }
}
