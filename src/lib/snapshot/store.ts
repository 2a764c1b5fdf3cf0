import type { Queryable, Transaction } from '../database/database.js'
import type { SetState, SnapshotMember, SnapshotSet } from './types.js'

/** A set's row with those of its snapshots. */
export interface SetRow extends Omit<SnapshotSet, 'begunAt' | 'members'> {
  id: string
  begunAt: Date
  members: (SnapshotMember & { hostId: string })[]
}

/** What a host said of the snapshot that it made. */
export type TakenFacts = {
  [Name in 'lsn' | 'timeline' | 'role' | 'systemIdentifier' | 'takenAt']: NonNullable<
    SnapshotMember[Name]
  >
}

const COLUMNS = `snapshot_set.id, snapshot_set.name as set, stanza, snapshot_set.state, snapshot_set.reason,
  begun_at as "begunAt", (
    select coalesce(json_agg(json_build_object('hostId', host_id::text, 'host', host.name, 'state', snapshot.state,
      'lsn', lsn, 'timeline', timeline, 'role', snapshot.role, 'systemIdentifier', system_identifier,
      'takenAt', to_char(taken_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      'reason', snapshot.reason) order by host.name), '[]')
    from cleverctl.snapshot join cleverctl.host on host.id = host_id where set_id = snapshot_set.id) as members`

/** The sets in these states, oldest first. @param stanza undefined: of every cluster */
export async function selectSets(
  database: Queryable,
  stanza: string | undefined,
  states: readonly SetState[],
): Promise<SetRow[]> {
  const { rows } = await database.query<SetRow>(
    `select ${COLUMNS} from cleverctl.snapshot_set
     where state = any($2::text[]) and ($1::text is null or stanza = $1) order by begun_at, name`,
    [stanza ?? null, states],
  )
  return rows
}

/** The set of this name; undefined where none is recorded. */
export async function selectSet(database: Queryable, name: string): Promise<SetRow | undefined> {
  const { rows } = await database.query<SetRow>(
    `select ${COLUMNS} from cleverctl.snapshot_set where name = $1`,
    [name],
  )
  return rows[0]
}

/** The last snapshot of a host that was taken and not deleted. */
export interface LastSnapshot {
  host: string
  set: string
  takenAt: Date
}

/** Of each host of a cluster that has one. */
export async function selectLastSnapshots(
  database: Queryable,
  stanza: string,
): Promise<LastSnapshot[]> {
  const { rows } = await database.query<LastSnapshot>(
    `select distinct on (host.name) host.name as host, snapshot_set.name as set, taken_at as "takenAt"
     from cleverctl.snapshot
     join cleverctl.snapshot_set on snapshot_set.id = set_id
     join cleverctl.host on host.id = host_id
     where snapshot_set.stanza = $1 and snapshot.state = 'taken' and snapshot_set.state <> 'gone'
       and host.removed_at is null
     order by host.name, taken_at desc`,
    [stanza],
  )
  return rows
}

/** Writes down a set that is to be made. @returns whether its name was free */
export async function insertSet(
  transaction: Transaction,
  given: { set: string; stanza: string; begunAt: Date; hostIds: readonly string[] },
): Promise<boolean> {
  const { rowCount } = await transaction.query(
    `with made as (
       insert into cleverctl.snapshot_set (name, stanza, state, begun_at) values ($1, $2, 'open', $3)
       on conflict do nothing returning id)
     insert into cleverctl.snapshot (set_id, host_id, state)
     select made.id, host_id, 'planned' from made, unnest($4::bigint[]) as host_id`,
    [given.set, given.stanza, given.begunAt, given.hostIds],
  )
  return (rowCount ?? 0) > 0
}

/** What came of a set. @param at when that was seen; null: it goes on */
export async function updateSet(
  transaction: Transaction,
  set: Pick<SetRow, 'id'>,
  { state, reason, at }: { state: SetState; reason: string | null; at: Date },
): Promise<void> {
  await transaction.query(
    'update cleverctl.snapshot_set set state = $2, reason = $3, ended_at = $4 where id = $1',
    [set.id, state, reason, at],
  )
}

/** What came of one snapshot of a set. */
export type MemberChange = { hostId: string } & (
  { facts: TakenFacts } | { failure: string } | { isGone: true }
)

/** Writes down what came of snapshots of a set; what is known of one that is gone stays. */
export async function updateMembers(
  transaction: Transaction,
  set: Pick<SetRow, 'id'>,
  changes: readonly MemberChange[],
): Promise<void> {
  const rows = changes.map((change) => ({
    hostId: change.hostId,
    state: 'facts' in change ? 'taken' : 'failure' in change ? 'failed' : 'gone',
    reason: 'failure' in change ? change.failure : null,
    ...('facts' in change && change.facts),
  }))
  await transaction.query(
    `update cleverctl.snapshot set state = seen.state, reason = seen.reason,
       taken_at = coalesce(seen."takenAt", taken_at), lsn = coalesce(seen.lsn, snapshot.lsn),
       timeline = coalesce(seen.timeline, snapshot.timeline), role = coalesce(seen.role, snapshot.role),
       system_identifier = coalesce(seen."systemIdentifier", system_identifier)
     from jsonb_to_recordset($2::jsonb) as seen ("hostId" bigint, state text, reason text, "takenAt" timestamptz,
       lsn pg_lsn, timeline bigint, role text, "systemIdentifier" text)
     where set_id = $1 and host_id = seen."hostId"`,
    [set.id, JSON.stringify(rows)],
  )
}
