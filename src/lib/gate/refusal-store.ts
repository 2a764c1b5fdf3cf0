import type { Queryable } from '../database/database.js'
import type { Requirement } from './types.js'

/** Refused arrivals of one kind within one hour. */
export interface RefusalGroup {
  hour: Date
  code: string
  requirement: Requirement
  route: string
  installationId: string | null
  serial: string | null
  keyId: string | null
  count: number
  firstAt: Date
  lastAt: Date
  lastAddress: string | null
  lastRequestId: string
}

/** Adds to the counts in the table. No two groups may be the same. */
export async function addRefusals(
  queryable: Queryable,
  groups: readonly RefusalGroup[],
): Promise<void> {
  await queryable.query({
    name: 'gate_add_refusals',
    text: `insert into cleverctl.refusal (hour, code, requirement, route, installation_id, serial, key_id,
        count, first_at, last_at, last_address, last_request_id)
      select "hour", "code", "requirement", "route", "installationId", "serial", "keyId",
        "count", "firstAt", "lastAt", "lastAddress", "lastRequestId"
      from jsonb_to_recordset($1::jsonb) as added ("hour" timestamptz, "code" text, "requirement" smallint,
        "route" text, "installationId" bigint, "serial" text, "keyId" text, "count" bigint,
        "firstAt" timestamptz, "lastAt" timestamptz, "lastAddress" inet, "lastRequestId" text)
      order by 1, 2, 4, 5, 6, 7
      on conflict on constraint refusal_group do update set
        count = refusal.count + excluded.count,
        first_at = least(refusal.first_at, excluded.first_at),
        last_at = greatest(refusal.last_at, excluded.last_at),
        last_address = excluded.last_address,
        last_request_id = excluded.last_request_id`,
    values: [JSON.stringify(groups)],
  })
}

/** Removes what was refused before `before`. */
export async function pruneRefusals(queryable: Queryable, before: Date): Promise<void> {
  await queryable.query('delete from cleverctl.refusal where last_at < $1', [before])
}
