import type { Queryable } from '../database/database.js'
import type { Reading } from './readings.js'

/** Readings of one device at one installation. */
export interface DeviceReadings {
  deviceId: string
  installationId: string
  readings: readonly Reading[]
}

/** What was stored: all of it, or the names of the readings that were (see {@link readingName}). */
export type Stored = 'all' | ReadonlySet<string>

/** Names a reading: one device has one at one time. */
export function readingName(deviceId: string, atMicros: number): string {
  return `${deviceId}:${atMicros}`
}

/**
 * Stores readings by one statement, which is its own transaction: when this returns, they are committed.
 * What is there already stays as it is.
 *
 * The statement inserts in the order of its index, so that two of them with the same readings wait for
 * each other and never both.
 * @param rows no two of the same device and time
 */
export async function insertReadings(
  queryable: Queryable,
  rows: readonly { deviceId: string; installationId: string; reading: Reading }[],
): Promise<Stored> {
  const document = rows.map(({ deviceId, installationId, reading }) => ({
    d: deviceId,
    i: installationId,
    t: reading.atMicros,
    v: reading.values,
  }))
  const { rows: answer } = await queryable.query<{ stored: [string, number][] | null }>({
    name: 'gate_insert_readings',
    text: `with stored as (
        insert into cleverctl.reading (device_id, installation_id, at, "values")
        select d, i, timestamptz 'epoch' + t * interval '1 microsecond', v
        from jsonb_to_recordset($1::jsonb) as sent (d bigint, i bigint, t bigint, v jsonb)
        order by d, t
        on conflict do nothing
        returning device_id, at
      )
      select case when count(*) < $2 then coalesce(jsonb_agg(jsonb_build_array(
        device_id::text, (extract(epoch from at) * 1000000)::bigint)), '[]') end as stored
      from stored`,
    values: [JSON.stringify(document), rows.length],
  })
  const stored = answer[0]?.stored ?? null
  if (stored === null) return 'all'
  return new Set(stored.map(([deviceId, atMicros]) => readingName(deviceId, atMicros)))
}

/** Makes the partition of the month of `moment`, unless it is there. */
export async function ensurePartition(queryable: Queryable, moment: Date): Promise<void> {
  await queryable.query('select cleverctl.reading_ensure_partition($1)', [moment])
}
