import type { Queryable, Transaction } from '../../database/database.js'

/** Which grants a second member of staff has to approve. */
export interface Policy {
  /** Those for longer than so many milliseconds; null: their length does not matter, 0: every grant. */
  longerThanMs: number | null
  /** Those that may change rows. */
  changing: boolean
  /** Those for one of these databases, sorted. */
  databases: string[]
  /** How long a request waits, in milliseconds. */
  lapseAfterMs: number
}

const SELECT = `select (extract(epoch from longer_than) * 1000)::float8 as "longerThanMs",
    is_for_changing as changing, databases, (extract(epoch from lapse_after) * 1000)::float8 as "lapseAfterMs",
    set_at as "setAt"
  from cleverctl.access_policy`

/** The policy, and since when it is so; null as it was at first. */
export async function selectPolicy(
  database: Queryable,
): Promise<{ policy: Policy; setAt: Date | null }> {
  return onlyRow(await database.query<Policy & { setAt: Date | null }>(SELECT))
}

/** The same, locked until the transaction ends. */
export async function lockPolicy(
  transaction: Transaction,
): Promise<{ policy: Policy; setAt: Date | null }> {
  return onlyRow(await transaction.query<Policy & { setAt: Date | null }>(`${SELECT} for update`))
}

/** Puts another policy in its place. */
export async function updatePolicy(
  transaction: Transaction,
  { longerThanMs, changing, databases, lapseAfterMs }: Policy,
  at: Date,
): Promise<void> {
  await transaction.query(
    `update cleverctl.access_policy set longer_than = $1::float8 * interval '1 millisecond',
       is_for_changing = $2, databases = $3::text[], lapse_after = $4::float8 * interval '1 millisecond', set_at = $5`,
    [longerThanMs, changing, databases, lapseAfterMs, at],
  )
}

/**
 * People on the list who can log in to this database by a role of their own that may approve, as staff and the
 * owner may.
 */
export async function selectApprovers(database: Queryable, now: Date): Promise<string[]> {
  const { rows } = await database.query<{ email: string }>(
    `select distinct handle collate "C" as email
     from cleverctl.account join cleverctl.account_role on account_id = account.id
     join pg_roles as login on rolname = role_name
     where kind = 'staff' and removed_at is null and rolcanlogin
       and (account.valid_until is null or account.valid_until >= ($1::timestamptz at time zone 'UTC')::date)
       and has_function_privilege(login.oid, 'cleverctl.access_approve(bigint, text, text, text)', 'execute')
     order by 1`,
    [now],
  )
  return rows.map(({ email }) => email)
}

function onlyRow({ rows }: { rows: (Policy & { setAt: Date | null })[] }) {
  const [row] = rows
  if (!row) throw new Error('the row of the policy is missing')
  const { setAt, ...policy } = row
  return { policy, setAt }
}
