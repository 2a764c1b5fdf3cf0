import type { Queryable, Transaction } from '../../database/database.js'
import type { Actor } from '../../trail/actor.js'
import type { GrantEnd, GrantMethod, GrantState, ShownGrant } from './types.js'

/** A grant as it is kept. */
export interface GrantRow {
  id: string
  /** E-mail address of the person. */
  email: string
  role: string
  servers: string[]
  databases: string[]
  isReadOnly: boolean
  reason: string
  method: GrantMethod
  /** What the secret is known by: see `makeProof`; null once the grant has ended. */
  verifier: string | null
  /** PEM; null for a password, and before the grant is in force. */
  certificate: string | null
  state: GrantState
  endsAt: Date
  grantedAt: Date
  endedAt: Date | null
  endReason: GrantEnd | null
  requestedBy: string | null
  approvedBy: string | null
  lapsesAt: Date | null
}

/** The same for everybody who may read the list. */
export type ListedGrantRow = Omit<GrantRow, 'verifier'>

const COLUMNS = `access_grant.id, account.handle as email, role_name as role, servers, databases,
  is_read_only as "isReadOnly", method, certificate, reason, state, ends_at as "endsAt", granted_at as "grantedAt",
  ended_at as "endedAt", end_reason as "endReason", requester.handle as "requestedBy",
  approver.handle as "approvedBy", lapses_at as "lapsesAt"`
const FROM = `from cleverctl.access_grant join cleverctl.account on account.id = account_id
  left join cleverctl.account as requester on requester.id = requested_by
  left join cleverctl.account as approver on approver.id = approved_by`

/** All grants, the youngest first; without what servers are given of passwords. */
export async function selectGrantsOfList(database: Queryable): Promise<ListedGrantRow[]> {
  const { rows } = await database.query<ListedGrantRow>(
    `select ${COLUMNS} ${FROM} order by access_grant.id desc`,
  )
  return rows
}

/** One of them, by its number. */
export async function selectGrant(
  database: Queryable,
  id: string,
): Promise<ListedGrantRow | undefined> {
  const { rows } = await database.query<ListedGrantRow>(
    `select ${COLUMNS} ${FROM} where access_grant.id = $1`,
    [id],
  )
  return rows[0]
}

/** A grant with whoever gave it, by the trail. */
export type GrantedRow = ListedGrantRow & { grantedBy: string | null }

/** Grants that were in force at some time of a period, the youngest first. */
export async function selectGrantsOfPeriod(
  database: Queryable,
  { since, until }: { since: Date; until: Date },
  limit: number,
): Promise<{ rows: GrantedRow[]; total: number }> {
  const { rows } = await database.query<GrantedRow & { total: number }>(
    // The longest grant is a week, so whoever gave it did so no earlier.
    `with given as materialized (
       select distinct on (details->>'id') details->>'id' as id, os_user || '@' || host as "grantedBy"
       from cleverctl.trail
       where trail.at >= $1::timestamptz - interval '8 days' and action in ('access.grant', 'access.request')
       order by details->>'id', seq
     )
     select ${COLUMNS}, "grantedBy", count(*) over ()::integer as total
     ${FROM} left join given on given.id = access_grant.id::text
     where granted_at <= $2 and (ended_at is null or ended_at >= $1)
     order by access_grant.id desc limit $3`,
    [since, until, limit],
  )
  return { rows, total: rows[0]?.total ?? 0 }
}

/** Grants and requests that have not ended everywhere: of one person, or all whose time is over. */
export async function selectOpenGrants(
  database: Queryable,
  of: { email: string } | { overAt: Date },
): Promise<GrantRow[]> {
  const { rows } = await database.query<GrantRow>(
    `select ${COLUMNS}, verifier ${FROM} where state <> 'ENDED'
       and ($1::text is null or account.handle = $1)
       and ($2::timestamptz is null or state = 'ENDING' or account.removed_at is not null
         or case when state = 'REQUESTED' then lapses_at else ends_at end <= $2
         or account.valid_until < ($2 at time zone 'UTC')::date) order by access_grant.id`,
    'email' in of ? [of.email, null] : [null, of.overAt],
  )
  return rows
}

/** Whether a second member of staff has to approve a grant of this kind, by the policy. */
export async function needsApproval(
  transaction: Transaction,
  {
    endsAt,
    grantedAt,
    isReadOnly,
    databases,
  }: Pick<GrantRow, 'endsAt' | 'grantedAt' | 'isReadOnly' | 'databases'>,
): Promise<boolean> {
  const { rows } = await transaction.query<{ isNeeded: boolean }>(
    `select cleverctl.access_needs_approval($1::timestamptz - $2::timestamptz, $3, $4::text[]) as "isNeeded"`,
    [endsAt, grantedAt, isReadOnly, databases],
  )
  return rows[0]?.isNeeded === true
}

/** Approves a request as whoever is logged in. @returns false where nothing waits under that number */
export async function approveRequest(
  database: Queryable,
  id: string,
  { osUser, host, ciJob }: Actor,
): Promise<boolean> {
  const { rows } = await database.query<{ isDone: boolean }>(
    'select cleverctl.access_approve($1, $2, $3, $4) as "isDone"',
    [id, osUser, host, ciJob ?? null],
  )
  return rows[0]?.isDone === true
}

/** Ends a request. @returns false where nothing waits under that number */
export async function denyRequest(
  database: Queryable,
  id: string,
  reason: string,
  { osUser, host, ciJob }: Actor,
): Promise<boolean> {
  const { rows } = await database.query<{ isDone: boolean }>(
    'select cleverctl.access_deny($1, $2, $3, $4, $5) as "isDone"',
    [id, reason, osUser, host, ciJob ?? null],
  )
  return rows[0]?.isDone === true
}

/** Whether the login may put a grant in force, as the owner may. */
export async function mayChangeGrants(database: Queryable): Promise<boolean> {
  const { rows } = await database.query<{ may: boolean }>(
    `select has_table_privilege('cleverctl.access_grant', 'update') as may`,
  )
  return rows[0]?.may === true
}

/** Writes down what is about to be granted. @returns its number; undefined when the person has another grant */
export async function insertGrant(
  transaction: Transaction,
  given: Pick<
    GrantRow,
    'role' | 'servers' | 'databases' | 'isReadOnly' | 'method' | 'reason' | 'endsAt' | 'grantedAt'
  > & { accountId: string; verifier: string; state: 'REQUESTED' | 'PLANNED' },
): Promise<string | undefined> {
  const { rows } = await transaction.query<{ id: string }>(
    `insert into cleverctl.access_grant (account_id, role_name, servers, databases, is_read_only, reason,
       verifier, state, ends_at, granted_at, method)
     values ($1, $2, $3::text[], $4::text[], $5, $6, $7, $8, $9, $10, $11)
     on conflict (account_id) where state <> 'ENDED' do nothing returning id`,
    [
      ...[given.accountId, given.role, given.servers, given.databases, given.isReadOnly],
      ...[given.reason, given.verifier, given.state, given.endsAt, given.grantedAt, given.method],
    ],
  )
  return rows[0]?.id
}

/** The state of a grant, and its certificate; both stay until the transaction ends. */
export async function lockGrant(
  transaction: Transaction,
  id: string,
): Promise<Pick<GrantRow, 'state' | 'certificate'> | undefined> {
  const { rows } = await transaction.query<Pick<GrantRow, 'state' | 'certificate'>>(
    'select state, certificate from cleverctl.access_grant where id = $1 for update',
    [id],
  )
  return rows[0]
}

/** Moves a grant on, unless another run has moved it elsewhere. @returns whether it was moved by this call */
export async function moveGrant(
  transaction: Transaction,
  id: string,
  move: {
    from: readonly GrantState[]
    to: GrantState
    endReason?: GrantEnd
    endedAt?: Date
    certificate?: string | null
  },
): Promise<boolean> {
  const { rowCount } = await transaction.query(
    `update cleverctl.access_grant set state = $3, end_reason = coalesce(end_reason, $4),
       ended_at = $5, verifier = case when $3 = 'ENDED' then null else verifier end,
       certificate = coalesce(certificate, $6)
     where id = $1 and state = any($2::text[])`,
    [
      ...[id, move.from, move.to, move.endReason ?? null, move.endedAt ?? null],
      move.certificate ?? null,
    ],
  )
  return rowCount === 1
}

/** A row as results show it. */
export function showGrant(row: ListedGrantRow): ShownGrant {
  const { isReadOnly, endsAt, grantedAt, endedAt, lapsesAt, ...rest } = row
  const { id, email, role, servers, databases, method, reason, state, endReason } = rest
  const { requestedBy, approvedBy } = rest
  return {
    ...{ id, email, role, servers, databases, readOnly: isReadOnly, method, reason, state },
    endsAt: endsAt.toISOString(),
    grantedAt: grantedAt.toISOString(),
    endedAt: endedAt?.toISOString() ?? null,
    ...{ endReason, requestedBy, approvedBy, lapsesAt: lapsesAt?.toISOString() ?? null },
  }
}
