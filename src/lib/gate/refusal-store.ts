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

/** What counts are summed up by. */
export type RefusalGrouping = 'code' | 'installation' | 'device'

/** Refused arrivals as an engineer reads them. Columns that the grouping sums over are null. */
export interface RefusalRow {
  code: string
  requirement: Requirement
  route: string | null
  installation: string | null
  serial: string | null
  keyId: string | null
  count: string
  firstAt: Date
  lastAt: Date
  lastAddress: string | null
  lastRequestId: string
}

/** The columns that tell the rows of a grouping apart; the code always does. */
const GROUPINGS: Record<RefusalGrouping | 'kind', readonly string[]> = {
  code: [],
  installation: ['installation.code'],
  device: ['installation.code', 'refusal.serial'],
  kind: ['installation.code', 'refusal.serial', 'refusal.key_id', 'refusal.route'],
}

/** Sums of the groups with a refusal since `since`, the latest first. */
export async function selectRefusals(
  queryable: Queryable,
  asked: { since: Date; by: RefusalGrouping | undefined; limit: number },
): Promise<RefusalRow[]> {
  const columns = GROUPINGS[asked.by ?? 'kind']
  const column = (name: string) => (columns.includes(name) ? name : 'null')
  const { rows } = await queryable.query<RefusalRow>(
    `select refusal.code, refusal.requirement,
       ${column('refusal.route')} as route, ${column('installation.code')} as installation,
       ${column('refusal.serial')} as serial, ${column('refusal.key_id')} as "keyId",
       sum(refusal.count) as count, min(refusal.first_at) as "firstAt", max(refusal.last_at) as "lastAt",
       (array_agg(host(refusal.last_address) order by refusal.last_at desc))[1] as "lastAddress",
       (array_agg(refusal.last_request_id order by refusal.last_at desc))[1] as "lastRequestId"
     from cleverctl.refusal
     left join cleverctl.installation on installation.id = refusal.installation_id
     where refusal.last_at >= $1
     group by ${['refusal.code', 'refusal.requirement', ...columns].join(', ')}
     order by max(refusal.last_at) desc
     limit $2`,
    [asked.since, asked.limit],
  )
  return rows
}
