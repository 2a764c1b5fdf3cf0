import type { Queryable } from '../database/database.js'

/** So many addresses of a device are kept, those used last. */
const KEPT_ADDRESSES = 8
/** So many returns to an address are kept, the latest. Migration 0008 says the same. */
export const KEPT_RETURNS = 6

/** The use of an address by a device since it was last written down. */
export interface UsedAddress {
  deviceId: string
  /** As `storableNetwork` gives it. */
  address: string
  firstAt: Date
  lastAt: Date
  arrivals: number
}

/**
 * Writes the use of addresses down. An address counts as returned to when another one of its kind (IPv4 or
 * IPv6, for a device may have both) was used after its former use and before its present one. Two
 * addresses that take turns are seen to do so however many gates they come through: the one that came
 * first in the former round always has the other one's use behind its own.
 * @returns ids of the devices that have a new address
 */
export async function writeAddresses(
  queryable: Queryable,
  used: readonly UsedAddress[],
): Promise<string[]> {
  const document = used.map(({ deviceId, address, firstAt, lastAt, arrivals }) => ({
    d: deviceId,
    a: address,
    f: firstAt,
    l: lastAt,
    n: arrivals,
  }))
  const { rows } = await queryable.query<{ device_id: string }>({
    name: 'gate_write_addresses',
    text: `with written as (
        insert into cleverctl.device_address as known
          (device_id, address, first_at, last_at, arrivals, returned_at)
        select d, a, f, l, n, case when exists (
            select from cleverctl.device_address as former
            join cleverctl.device_address as other on other.device_id = former.device_id
              and other.address <> former.address and family(other.address) = family(former.address)
            where former.device_id = d and former.address = a
              and other.last_at > former.last_at and other.last_at < l)
          then array[l] else '{}' end
        from jsonb_to_recordset($1::jsonb)
          as sent (d bigint, a inet, f timestamptz, l timestamptz, n bigint)
        order by d, a
        on conflict (device_id, address) do update set
          first_at = least(known.first_at, excluded.first_at),
          last_at = greatest(known.last_at, excluded.last_at),
          arrivals = known.arrivals + excluded.arrivals,
          returned_at = (known.returned_at || excluded.returned_at)
            [greatest(1, cardinality(known.returned_at || excluded.returned_at) - ${KEPT_RETURNS - 1}):]
        returning device_id, xmax = 0 as is_new
      )
      select distinct device_id from written where is_new`,
    values: [JSON.stringify(document)],
  })
  return rows.map(({ device_id }) => device_id)
}

/** Removes all but the addresses used last. */
export async function removeOldAddresses(
  queryable: Queryable,
  deviceIds: readonly string[],
): Promise<void> {
  await queryable.query({
    name: 'gate_remove_addresses',
    text: `delete from cleverctl.device_address as old using (
        select device_id, address,
          row_number() over (partition by device_id order by last_at desc, address) as place
        from cleverctl.device_address where device_id = any($1::bigint[])
      ) as ranked
      where ranked.place > ${KEPT_ADDRESSES}
        and old.device_id = ranked.device_id and old.address = ranked.address`,
    values: [deviceIds],
  })
}
