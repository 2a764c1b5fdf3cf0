import type { Database } from '../../database/database.js'
import { selectCounted } from './store.js'
import { before, type AuditScope, type Counted } from './types.js'

/** Refused arrivals that belong together. */
export interface RefusedRow {
  serial: string | null
  /** The installation of the key that was shown. */
  installation: string | null
  refusals: number
  firstAt: Date
  lastAt: Date
  lastAddress: string | null
  lastRequestId: string
}

/** A device whose key belongs to another installation than the one where it stands. */
export interface SquatterRow extends RefusedRow {
  serial: string
  standsAt: string
  standsSince: Date
}

/** A device that was taken out of use and is refused. */
export interface ZombieRow extends RefusedRow {
  serial: string
  state: 'removed' | 'revoked'
  endedAt: Date
  stoodAt: string | null
}

/** Sums over refusals, the columns of {@link RefusedRow} but for the first two. */
const SUMS = `sum(refusal.count)::float8 as refusals,
  min(refusal.first_at) as "firstAt", max(refusal.last_at) as "lastAt",
  (array_agg(host(refusal.last_address) order by refusal.last_at desc))[1] as "lastAddress",
  (array_agg(refusal.last_request_id order by refusal.last_at desc))[1] as "lastRequestId"`

const LATEST_FIRST = '"lastAt" desc, serial, installation'

/**
 * Arrivals of devices that were never manufactured, and are not registered now either. Without a serial:
 * what was sent as one was none, or there were too many to tell them apart.
 */
export async function selectGhosts(
  database: Database,
  scope: AuditScope,
): Promise<Counted<RefusedRow>> {
  const { now, ages, installation, limit } = scope
  return selectCounted(database, {
    select: `select refusal.serial, installation.code as installation, ${SUMS}
      from cleverctl.refusal
      left join cleverctl.installation on installation.id = refusal.installation_id
      where refusal.last_at >= $1 and refusal.code = 'D_NOT_MANUFACTURED'
        and ($2::text is null or installation.code = $2)
        and not exists (select from cleverctl.device where device.serial = refusal.serial)
      group by refusal.serial, installation.code`,
    order: LATEST_FIRST,
    values: [before(now, ages.sinceMs), installation],
    limit,
  })
}

/** Devices that came with the key of an installation while they stand at another one now. */
export async function selectSquatters(
  database: Database,
  scope: AuditScope,
): Promise<Counted<SquatterRow>> {
  const { now, ages, installation, batch, limit } = scope
  return selectCounted(database, {
    select: `select refusal.serial, installation.code as installation, place.code as "standsAt",
        lower(placement.during) as "standsSince", ${SUMS}
      from cleverctl.refusal
      join cleverctl.installation on installation.id = refusal.installation_id
      join cleverctl.device on device.serial = refusal.serial
      join cleverctl.placement on placement.device_id = device.id and upper_inf(placement.during)
      join cleverctl.installation as place on place.id = placement.installation_id
      where refusal.last_at >= $1 and refusal.code in ('X_SITE_MISMATCH', 'I_OTHER_SITE')
        and placement.installation_id <> refusal.installation_id
        and ($2::text is null or $2 in (installation.code, place.code))
        and ($3::text is null or device.batch = $3)
      group by refusal.serial, installation.code, place.code, placement.during`,
    order: LATEST_FIRST,
    values: [before(now, ages.sinceMs), installation, batch],
    limit,
  })
}

/** Devices that are removed or revoked now and were refused for it since. */
export async function selectZombies(
  database: Database,
  scope: AuditScope,
): Promise<Counted<ZombieRow>> {
  const { now, ages, installation, batch, limit } = scope
  return selectCounted(database, {
    select: `select refusal.serial,
        (array_agg(installation.code order by refusal.last_at desc))[1] as installation,
        ended.state, ended.at as "endedAt", latest.code as "stoodAt", ${SUMS}
      from cleverctl.refusal
      left join cleverctl.installation on installation.id = refusal.installation_id
      join cleverctl.device on device.serial = refusal.serial
      left join lateral (
        select placement.during, place.code from cleverctl.placement
        join cleverctl.installation as place on place.id = placement.installation_id
        where placement.device_id = device.id order by lower(placement.during) desc limit 1
      ) as latest on true
      cross join lateral (
        select case when device.revoked_at is null then 'removed' else 'revoked' end as state,
          coalesce(device.revoked_at, upper(latest.during)) as at
      ) as ended
      where refusal.last_at >= $1 and refusal.code in ('I_CLOSED', 'D_REVOKED')
        and refusal.last_at >= ended.at
        and ($2::text is null or $2 in (installation.code, latest.code))
        and ($3::text is null or device.batch = $3)
      group by refusal.serial, ended.state, ended.at, latest.code`,
    order: LATEST_FIRST,
    values: [before(now, ages.sinceMs), installation, batch],
    limit,
  })
}
