import type { Database } from '../../database/database.js'
import { selectCounted } from './store.js'
import { before, type AuditScope, type Counted } from './types.js'

/** An installed device that says nothing. */
export interface MuteRow {
  serial: string
  installation: string
  installedAt: Date
  lastSeenAt: Date | null
}

/** A device with readings from before it stood there. */
export interface EarlyRow {
  serial: string
  installation: string
  oldestReadingAt: Date
  installedAt: Date
  lastSeenAt: Date
}

/** How a device's newest readings stood to the gate's clock on two days. */
export interface SkewedRow {
  serial: string
  /** Where it stands; null while it stands nowhere. */
  installation: string | null
  /** The day (UTC) that proves it. */
  day: string
  /** The newest reading of the best arrival of that day, ahead of the gate's clock. */
  leadMs: number
  /** Arrivals with readings on that day. */
  arrivals: number
}

/** Devices that stand somewhere since so long, and were not seen for as long. */
export async function selectMutes(
  database: Database,
  scope: AuditScope,
): Promise<Counted<MuteRow>> {
  const { now, ages, installation, batch, limit } = scope
  return selectCounted(database, {
    select: `select device.serial, installation.code as installation,
        lower(placement.during) as "installedAt", seen.last_at as "lastSeenAt"
      from cleverctl.placement
      join cleverctl.device on device.id = placement.device_id and device.revoked_at is null
      join cleverctl.installation
        on installation.id = placement.installation_id and installation.retired_at is null
      left join (
        select device_id, max(last_at) as last_at from cleverctl.device_sighting group by device_id
      ) as seen on seen.device_id = placement.device_id
      where upper_inf(placement.during) and lower(placement.during) <= $1
        and (seen.last_at is null or seen.last_at < $1)
        and ($2::text is null or installation.code = $2) and ($3::text is null or device.batch = $3)`,
    order: '"lastSeenAt" nulls first, serial',
    values: [before(now, ages.silentForMs), installation, batch],
    limit,
  })
}

/**
 * Devices with a reading from before they first stood at the installation of the key it came with.
 * @param toleranceMs so much earlier is nothing: a logger is switched on before it is entered
 */
export async function selectEarly(
  database: Database,
  scope: AuditScope,
  toleranceMs: number,
): Promise<Counted<EarlyRow>> {
  const { installation, batch, limit } = scope
  return selectCounted(database, {
    select: `select device.serial, installation.code as installation,
        seen.oldest_reading_at as "oldestReadingAt", placed.first_at as "installedAt",
        seen.last_at as "lastSeenAt"
      from (
        select sighting.device_id, key.installation_id,
          min(sighting.oldest_reading_at) as oldest_reading_at, max(sighting.last_at) as last_at
        from cleverctl.device_sighting as sighting
        join cleverctl.api_key as key on key.id = sighting.api_key_id
        where sighting.oldest_reading_at is not null and not exists (
          select from cleverctl.placement
          where placement.device_id = sighting.device_id
            and placement.installation_id = key.installation_id
            and lower(placement.during) <= sighting.oldest_reading_at + $1 * interval '1 millisecond'
        )
        group by sighting.device_id, key.installation_id
      ) as seen
      join lateral (
        select min(lower(during)) as first_at from cleverctl.placement
        where placement.device_id = seen.device_id
          and placement.installation_id = seen.installation_id
      ) as placed on placed.first_at is not null
      join cleverctl.device on device.id = seen.device_id
      join cleverctl.installation on installation.id = seen.installation_id
      where ($2::text is null or installation.code = $2) and ($3::text is null or device.batch = $3)`,
    order: '"oldestReadingAt", serial, installation',
    values: [toleranceMs, installation, batch],
    limit,
  })
}

/**
 * Devices whose clock is off by more than `ages.skewMs`. Ahead: an arrival of today, or of yesterday where
 * none came today, had a reading from the future. Behind: yesterday, and today so far, no arrival had a
 * reading as young as that.
 * @param enough arrivals that a day needs to prove that a clock is behind
 */
export async function selectSkewed(
  database: Database,
  scope: AuditScope,
  enough: number,
): Promise<Counted<SkewedRow>> {
  const { now, ages, installation, batch, limit } = scope
  return selectCounted(database, {
    select: `with suspect as (
        select distinct device_id from cleverctl.device_sighting
        where (lead_day in ($1::date, $1::date - 1) and abs(lead_max_ms) > $2)
          or (former_lead_day = $1::date - 1 and abs(former_lead_max_ms) > $2)
      ), day as (
        select device_id, lead_day as day, lead_max_ms as lead, lead_arrivals as arrivals
        from cleverctl.device_sighting join suspect using (device_id)
        where lead_day in ($1::date, $1::date - 1)
        union all
        select device_id, former_lead_day, former_lead_max_ms, former_lead_arrivals
        from cleverctl.device_sighting join suspect using (device_id)
        where former_lead_day = $1::date - 1
      ), clock as (
        select device_id,
          max(lead) filter (where day = $1::date) as today,
          sum(arrivals) filter (where day = $1::date) as arrivals_today,
          max(lead) filter (where day < $1::date) as yesterday,
          sum(arrivals) filter (where day < $1::date) as arrivals_yesterday
        from day group by device_id
      ), skewed as (
        select clock.*, today is not null and today > $2 as is_today from clock
        where coalesce(today, yesterday) > $2
          or (yesterday < -$2 and arrivals_yesterday >= $3 and (today is null or today < -$2))
      )
      select device.serial, installation.code as installation,
        to_char(case when is_today then $1::date else $1::date - 1 end, 'YYYY-MM-DD') as day,
        (case when is_today then today else yesterday end)::float8 as "leadMs",
        (case when is_today then arrivals_today else arrivals_yesterday end)::float8 as arrivals
      from skewed
      join cleverctl.device on device.id = skewed.device_id
      left join cleverctl.placement
        on placement.device_id = device.id and upper_inf(placement.during)
      left join cleverctl.installation on installation.id = placement.installation_id
      where ($4::text is null or installation.code = $4) and ($5::text is null or device.batch = $5)`,
    order: 'abs("leadMs") desc, serial',
    values: [now.toISOString().slice(0, 10), ages.skewMs, enough, installation, batch],
    limit,
  })
}
