import type { Selection } from '../../campaign/selection-store.js'
import type { Queryable } from '../../database/database.js'
import type { Part } from './types.js'

/** The routers of these installations, in this order. */
export function selectNamedRouters(codes: readonly string[]): Selection {
  return {
    text: `select installation.code as target, installation.id as installation_id, given.rank
      from unnest($1::text[]) with ordinality as given (code, rank)
      join cleverctl.installation on installation.code = given.code`,
    values: [codes],
  }
}

/** Every router with a part that has no secret in force, or one that was made before a moment; the oldest first. */
export function selectAllRouters(given: { parts: readonly Part[]; dueBefore: Date }): Selection {
  return {
    text: `select installation.code as target, installation.id as installation_id, oldest.rank
      from cleverctl.router
      join cleverctl.installation on installation.id = router.installation_id
      cross join lateral (
        select min(coalesce(credential.created_at, '-infinity')) as rank
        from unnest($1::text[]) as part (kind)
        left join cleverctl.router_credential as credential
          on credential.router_id = router.id and credential.kind = part.kind and credential.state = 'CURRENT'
      ) as oldest
      where router.removed_at is null and installation.retired_at is null and oldest.rank <= $2`,
    values: [given.parts, given.dueBefore],
  }
}

/** Which of these installations have no router. */
export async function selectWithoutRouter(
  database: Queryable,
  codes: readonly string[],
): Promise<string[]> {
  if (codes.length === 0) return []
  const { rows } = await database.query<{ code: string }>(
    `select given.code from unnest($1::text[]) as given (code)
     where not exists (
       select from cleverctl.router join cleverctl.installation on installation.id = router.installation_id
       where installation.code = given.code and router.removed_at is null)`,
    [codes],
  )
  return rows.map(({ code }) => code)
}

/** How many loggers stand at the selected installations, and the first hundred of them. */
export async function countDark(
  database: Queryable,
  selection: Selection,
): Promise<{ loggers: number; installations: number; serials: string[] }> {
  const { rows } = await database.query<{
    loggers: number
    installations: number
    serials: string[]
  }>(
    `select count(*)::integer as loggers, count(distinct device.installation_id)::integer as installations,
       coalesce((array_agg(device.serial order by device.serial))[1:100], '{}') as serials
     from (${selection.text}) as chosen
     join cleverctl.active_device as device on device.installation_id = chosen.installation_id`,
    [...selection.values],
  )
  return rows[0] ?? { loggers: 0, installations: 0, serials: [] }
}
