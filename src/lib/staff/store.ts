import type { Queryable, Transaction } from '../database/database.js'
import type { AccountFacts, AccountKind } from './types.js'

/** An entry of the list as it is kept. */
export interface AccountRow extends AccountFacts {
  id: string
  addedAt: Date
  removedAt: Date | null
}

const SELECT = `select account.id, account.kind, account.handle, account.description,
    owner.handle as owner, account.added_at as "addedAt", account.removed_at as "removedAt",
    to_char(account.valid_until, 'YYYY-MM-DD') as until,
    array(select text(network) from unnest(account.networks) as network) as networks,
    array(select role_name from cleverctl.account_role where account_id = account.id
      order by role_name collate "C") as "roleNames"
  from cleverctl.account left join cleverctl.account as owner on owner.id = account.owner_id`

/** Entries of one kind, or of both, by handle; removed ones too. */
export async function selectAccounts(
  database: Queryable,
  kind?: AccountKind,
): Promise<AccountRow[]> {
  const { rows } = await database.query<AccountRow>(
    `${SELECT} where $1::text is null or account.kind = $1 order by account.kind desc, account.handle`,
    [kind ?? null],
  )
  return rows
}

/** One entry, removed or not. */
export async function selectAccount(
  database: Queryable,
  kind: AccountKind,
  handle: string,
): Promise<AccountRow | undefined> {
  const { rows } = await database.query<AccountRow>(
    `${SELECT} where account.kind = $1 and account.handle = $2`,
    [kind, handle],
  )
  return rows[0]
}

/** The same, locked until the transaction ends. */
export async function lockAccount(
  transaction: Transaction,
  kind: AccountKind,
  handle: string,
): Promise<AccountRow | undefined> {
  const { rows } = await transaction.query<AccountRow>(
    `${SELECT} where account.kind = $1 and account.handle = $2 for update of account`,
    [kind, handle],
  )
  return rows[0]
}

/** Adds an entry without its roles. @returns its id; undefined when the handle is taken */
export async function insertAccount(
  transaction: Transaction,
  facts: AccountFacts & { ownerId: string | null; at: Date },
): Promise<string | undefined> {
  const { rows } = await transaction.query<{ id: string }>(
    `insert into cleverctl.account (kind, handle, description, owner_id, networks, valid_until, added_at)
     values ($1, $2, $3, $4, $5::text[]::cidr[], $6, $7)
     on conflict (kind, handle) do nothing returning id`,
    [
      facts.kind,
      facts.handle,
      facts.description,
      facts.ownerId,
      facts.networks,
      facts.until,
      facts.at,
    ],
  )
  return rows[0]?.id
}

/** Gives an entry other facts, and takes it back on the list. */
export async function updateAccount(
  transaction: Transaction,
  id: string,
  facts: AccountFacts & { ownerId: string | null; at: Date },
): Promise<void> {
  await transaction.query(
    `update cleverctl.account set description = $2, owner_id = $3, networks = $4::text[]::cidr[],
       valid_until = $5, added_at = case when removed_at is null then added_at else $6 end,
       removed_at = null
     where id = $1`,
    [id, facts.description, facts.ownerId, facts.networks, facts.until, facts.at],
  )
}

/** Takes an entry off the list; its roles still name it. */
export async function markRemoved(transaction: Transaction, id: string, at: Date): Promise<void> {
  await transaction.query('update cleverctl.account set removed_at = $2 where id = $1', [id, at])
}

/**
 * Makes these the roles of an entry. Roles of removed entries are free.
 * @returns the names that belong to another entry
 */
export async function claimRoles(
  transaction: Transaction,
  id: string,
  names: readonly string[],
): Promise<string[]> {
  await transaction.query(
    `delete from cleverctl.account_role using cleverctl.account
     where account.id = account_id
       and (account_id = $1 or (role_name = any($2::text[]) and account.removed_at is not null))`,
    [id, names],
  )
  const { rows } = await transaction.query<{ name: string }>(
    `insert into cleverctl.account_role (role_name, account_id) select name, $1 from unnest($2::text[]) as name
     on conflict do nothing returning role_name as name`,
    [id, names],
  )
  const claimed = new Set(rows.map(({ name }) => name))
  return names.filter((name) => !claimed.has(name))
}

/** Handle of the entry that has a role. */
export async function selectHolder(
  database: Queryable,
  roleName: string,
): Promise<string | undefined> {
  const { rows } = await database.query<{ handle: string }>(
    `select handle from cleverctl.account join cleverctl.account_role on account_id = account.id
     where role_name = $1`,
    [roleName],
  )
  return rows[0]?.handle
}

/** Service accounts on the list for which somebody answers, by name. */
export async function selectOwned(database: Queryable, ownerId: string): Promise<string[]> {
  const { rows } = await database.query<{ handle: string }>(
    'select handle from cleverctl.account where owner_id = $1 and removed_at is null order by handle',
    [ownerId],
  )
  return rows.map(({ handle }) => handle)
}
