import type { Database } from '../../database/database.js'
import { KEPT_RETURNS } from '../../gate/address-store.js'
import { selectCounted } from './store.js'
import { before, type AuditScope, type Counted } from './types.js'

/** A device that is heard from several places by turns. */
export interface AlternatingRow {
  serial: string
  /** Where it stands; null while it stands nowhere. */
  installation: string | null
  lastReturnAt: Date
  /** The addresses that were returned to, the latest first. */
  addresses: { address: string; arrivals: number; lastAt: string }[]
}

/** Devices that returned to former addresses {@link KEPT_RETURNS} times within `withinMs`. */
export async function selectAlternating(
  database: Database,
  scope: AuditScope,
  withinMs: number,
): Promise<Counted<AlternatingRow>> {
  const { now, ages, installation, batch, limit } = scope
  return selectCounted(database, {
    select: `with returned as (
        select device_id, at, lag(at, ${KEPT_RETURNS - 1})
          over (partition by device_id, family(address) order by at) as former_at
        from cleverctl.device_address cross join unnest(returned_at) as at
        where returned_at <> '{}'
      ), alternating as (
        select device_id, max(at) as last_at from returned
        where at >= $1 and at - former_at <= $2 * interval '1 millisecond'
        group by device_id
      )
      select device.serial, installation.code as installation,
        alternating.last_at as "lastReturnAt", used.addresses
      from alternating
      join cleverctl.device on device.id = alternating.device_id and device.revoked_at is null
      left join cleverctl.placement
        on placement.device_id = device.id and upper_inf(placement.during)
      left join cleverctl.installation on installation.id = placement.installation_id
      cross join lateral (
        select jsonb_agg(jsonb_build_object(
          'address', case family(used.address) when 4 then host(used.address) else used.address::text end,
          'arrivals', used.arrivals, 'lastAt', used.last_at) order by used.last_at desc) as addresses
        from cleverctl.device_address as used
        where used.device_id = device.id and used.returned_at <> '{}'
      ) as used
      where ($3::text is null or installation.code = $3) and ($4::text is null or device.batch = $4)`,
    order: '"lastReturnAt" desc, serial',
    values: [before(now, ages.sinceMs), withinMs, installation, batch],
    limit,
  })
}
