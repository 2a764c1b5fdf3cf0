import type { Queryable, Transaction } from '../../database/database.js'

/** A finding that somebody answers for, as it is kept. */
export interface AcceptanceRow {
  id: string
  rule: string
  subject: string
  /** Null: at every server. */
  host: string | null
  /** E-mail address of the member of staff who answers for it. */
  owner: string
  ownerUntil: string | null
  ownerRemovedAt: Date | null
  reason: string
  /** The last day (UTC) on which it counts. */
  until: string
  acceptedAt: Date
  withdrawnAt: Date | null
}

/** What a finding is known by. */
export interface AcceptedKey {
  rule: string
  subject: string
  host: string | null
}

const SELECT = `select acceptance.id, rule, subject, host, account.handle as owner,
    to_char(account.valid_until, 'YYYY-MM-DD') as "ownerUntil", account.removed_at as "ownerRemovedAt",
    reason, to_char(acceptance.valid_until, 'YYYY-MM-DD') as until,
    accepted_at as "acceptedAt", withdrawn_at as "withdrawnAt"
  from cleverctl.access_acceptance as acceptance join cleverctl.account on account.id = acceptance.owner_id`

/** All of them, the oldest first; withdrawn ones too. */
export async function selectAcceptances(database: Queryable): Promise<AcceptanceRow[]> {
  return (await database.query<AcceptanceRow>(`${SELECT} order by acceptance.id`)).rows
}

/** The one for a finding that was not withdrawn, locked until the transaction ends. */
export async function lockAcceptanceOf(
  transaction: Transaction,
  { rule, subject, host }: AcceptedKey,
): Promise<AcceptanceRow | undefined> {
  const { rows } = await transaction.query<AcceptanceRow>(
    `${SELECT} where rule = $1 and subject = $2 and host is not distinct from $3 and withdrawn_at is null
     for update of acceptance`,
    [rule, subject, host],
  )
  return rows[0]
}

/** One by its number, locked until the transaction ends. */
export async function lockAcceptance(
  transaction: Transaction,
  id: string,
): Promise<AcceptanceRow | undefined> {
  const { rows } = await transaction.query<AcceptanceRow>(
    `${SELECT} where acceptance.id = $1 for update of acceptance`,
    [id],
  )
  return rows[0]
}

/** @returns its number; undefined when there is one for the same finding by now */
export async function insertAcceptance(
  transaction: Transaction,
  given: AcceptedKey & { ownerId: string; reason: string; until: string; at: Date },
): Promise<string | undefined> {
  const { rule, subject, host, ownerId, reason, until, at } = given
  const { rows } = await transaction.query<{ id: string }>(
    `insert into cleverctl.access_acceptance (rule, subject, host, owner_id, reason, valid_until, accepted_at)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict do nothing returning id`,
    [rule, subject, host, ownerId, reason, until, at],
  )
  return rows[0]?.id
}

/** It counts no more. */
export async function markWithdrawn(transaction: Transaction, id: string, at: Date): Promise<void> {
  await transaction.query(
    'update cleverctl.access_acceptance set withdrawn_at = $2 where id = $1',
    [id, at],
  )
}
