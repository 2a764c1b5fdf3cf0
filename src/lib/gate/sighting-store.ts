import type { Queryable } from '../database/database.js'
import type { Actor } from '../trail/actor.js'
import { storableAddress } from './address.js'

/** What was seen of one device with one key since it was last written down. */
export interface Sighting {
  deviceId: string
  apiKeyId: string
  firstAt: Date
  lastAt: Date
  arrivals: number
  address: string
  /** Undefined where no readings came. Microseconds since 1970. */
  oldestAtMicros?: number
  /** Arrivals with readings on the day (UTC) of the latest of them. */
  leadArrivals?: number
  /** How far the newest reading of an arrival was ahead of the gate's clock, at most. */
  leadMaxMs?: number
}

/**
 * Writes sightings down. The rows are locked in one order, so that two gates wait for each other and never
 * both.
 * @returns ids of the installations whose current key was seen for the first time with some device, while
 * former keys wait for that
 */
export async function writeSightings(
  queryable: Queryable,
  sightings: readonly Sighting[],
): Promise<string[]> {
  const document = sightings.map((sighting) => ({
    d: sighting.deviceId,
    k: sighting.apiKeyId,
    f: sighting.firstAt,
    l: sighting.lastAt,
    n: sighting.arrivals,
    a: storableAddress(sighting.address),
    o: sighting.oldestAtMicros,
    m: sighting.leadMaxMs,
    r: sighting.leadArrivals ?? 0,
  }))
  const { rows } = await queryable.query<{ installation_id: string }>({
    name: 'gate_write_sightings',
    text: `with seen as (
        insert into cleverctl.device_sighting as known (device_id, api_key_id, first_at, last_at, arrivals,
          last_address, oldest_reading_at, lead_day, lead_max_ms, lead_arrivals)
        select d, k, f, l, n, a, timestamptz 'epoch' + o * interval '1 microsecond',
          case when m is not null then (l at time zone 'UTC')::date end, m, r
        from jsonb_to_recordset($1::jsonb) as sent (
          d bigint, k bigint, f timestamptz, l timestamptz, n bigint, a inet, o bigint, m bigint, r bigint)
        order by d, k
        on conflict (device_id, api_key_id) do update set
          first_at = least(known.first_at, excluded.first_at),
          last_at = greatest(known.last_at, excluded.last_at),
          arrivals = known.arrivals + excluded.arrivals,
          last_address = case when excluded.last_at >= known.last_at then excluded.last_address
            else known.last_address end,
          oldest_reading_at = least(known.oldest_reading_at, excluded.oldest_reading_at),
          former_lead_day = case when excluded.lead_day > known.lead_day then known.lead_day
            else known.former_lead_day end,
          former_lead_max_ms = case when excluded.lead_day > known.lead_day then known.lead_max_ms
            else known.former_lead_max_ms end,
          former_lead_arrivals = case when excluded.lead_day > known.lead_day then known.lead_arrivals
            else known.former_lead_arrivals end,
          lead_day = greatest(known.lead_day, excluded.lead_day),
          lead_max_ms = case
            when known.lead_day is null or excluded.lead_day > known.lead_day then excluded.lead_max_ms
            when excluded.lead_day = known.lead_day then greatest(known.lead_max_ms, excluded.lead_max_ms)
            else known.lead_max_ms end,
          lead_arrivals = case
            when known.lead_day is null or excluded.lead_day > known.lead_day then excluded.lead_arrivals
            when excluded.lead_day = known.lead_day then known.lead_arrivals + excluded.lead_arrivals
            else known.lead_arrivals end
        returning api_key_id, xmax = 0 as is_new
      )
      select distinct key.installation_id
      from seen join cleverctl.api_key as key on key.id = seen.api_key_id
      where seen.is_new and key.state = 'CURRENT' and exists (
        select from cleverctl.api_key as former
        where former.installation_id = key.installation_id and former.state = 'GRACE')`,
    values: [JSON.stringify(document)],
  })
  return rows.map(({ installation_id }) => installation_id)
}

/** Ends the former keys of these installations whose adoption is complete. @returns how many */
export async function settleKeys(
  queryable: Queryable,
  installationIds: readonly string[],
  now: Date,
  actor: Actor,
): Promise<number> {
  const { rows } = await queryable.query<{ settled: number }>(
    'select cleverctl.api_key_settle($1::bigint[], $2, $3, $4) as settled',
    [installationIds, now, actor.osUser, actor.host],
  )
  return rows[0]?.settled ?? 0
}

/** Ends the former keys whose time has come; a bounded number of them, by one gate at a time. @returns how many */
export async function settleDueKeys(
  queryable: Queryable,
  now: Date,
  actor: Actor,
): Promise<number> {
  const { rows } = await queryable.query<{ settled: number }>(
    'select cleverctl.api_key_settle_due($1, $2, $3) as settled',
    [now, actor.osUser, actor.host],
  )
  return rows[0]?.settled ?? 0
}
