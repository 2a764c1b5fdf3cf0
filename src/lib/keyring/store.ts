import type { Database, Queryable, Transaction } from '../database/database.js'
import { SEALED_COLUMNS, type SealedColumn } from './sealed-columns.js'

/** A key as the database knows it: by id, and by a value only that key opens. */
export interface RegisteredKey {
  id: string
  checkValue: Buffer
  createdAt: Date
  retiredAt: Date | null
}

/** What the database knows about the keyring that seals it. */
export interface KeyringRecord {
  /** Name of the keyring; a key file made for this database carries it. */
  keyringId: string
  /** Oldest first; the last that is not retired seals. */
  keys: RegisteredKey[]
  /** Whether this database role may register a key. */
  mayRegister: boolean
}

/** Reads which keys this database knows. */
export async function readKeyringRecord(database: Queryable): Promise<KeyringRecord> {
  const { rows } = await database.query<{
    keyringId: string
    mayRegister: boolean
    id: string | null
    checkValue: Buffer
    createdAt: Date
    retiredAt: Date | null
  }>(`
    select keyring.id as "keyringId",
      has_table_privilege('cleverctl.keyring_key', 'insert') as "mayRegister",
      key.id, key.check_value as "checkValue", key.created_at as "createdAt", key.retired_at as "retiredAt"
    from cleverctl.keyring left join cleverctl.keyring_key as key on true
    order by key.created_at, key.id`)
  const [first] = rows
  if (first === undefined) throw new TypeError('cleverctl.keyring has no row')
  return {
    keyringId: first.keyringId,
    mayRegister: first.mayRegister,
    keys: rows.flatMap(({ id, checkValue, createdAt, retiredAt }) =>
      id === null ? [] : [{ id, checkValue, createdAt, retiredAt }],
    ),
  }
}

/** Registers the database's first key, unless another one came first. */
export async function registerFirstKey(
  database: Database,
  key: { id: string; checkValue: Buffer },
): Promise<void> {
  await database.transaction(async (transaction) => {
    await transaction.query('lock table cleverctl.keyring_key in share row exclusive mode')
    await transaction.query(
      `insert into cleverctl.keyring_key (id, check_value)
      select $1, $2 where not exists (select from cleverctl.keyring_key)`,
      [key.id, key.checkValue],
    )
  })
}

/** Registers a further key, which seals from now on. Registered already: nothing happens. */
export async function registerKey(
  transaction: Transaction,
  key: { id: string; checkValue: Buffer },
): Promise<void> {
  // The newest key seals, so a clock that was set back must not make this one older than another.
  await transaction.query(
    `insert into cleverctl.keyring_key (id, check_value, created_at)
    select $1, $2, greatest(now(), max(created_at) + interval '1 microsecond')
    from cleverctl.keyring_key
    on conflict (id) do nothing`,
    [key.id, key.checkValue],
  )
}

/** Rows of a sealed column by the key that sealed them. */
export interface SealedCount {
  /** Whose rows, e.g. `signing-key`. */
  kind: string
  keyId: string
  rows: number
}

/** Counts what each key seals. */
export async function countSealed(database: Queryable): Promise<SealedCount[]> {
  const counts = SEALED_COLUMNS.map(
    ({ kind, table, column }) =>
      `select '${kind}' as kind, ${keyIdOf(column)} as "keyId", count(*)::int as rows
      from ${table} where ${column} is not null group by 2`,
  )
  const { rows } = await database.query<SealedCount>(`${counts.join(' union all ')} order by 1, 2`)
  return rows
}

/** A sealed value and the row it is in. */
export interface SealedValue {
  id: string
  sealed: Buffer
}

/** Locks the next values of a column that another key than `keyId` sealed. */
export async function lockSealedByOthers(
  transaction: Transaction,
  { table, column, id }: SealedColumn,
  wanted: { keyId: string; after: string; limit: number },
): Promise<SealedValue[]> {
  const { rows } = await transaction.query<SealedValue>(
    `select ${id} as id, ${column} as sealed from ${table}
    where ${column} is not null and ${keyIdOf(column)} <> $1 and ${id} > $2
    order by ${id} limit $3 for update`,
    [wanted.keyId, wanted.after, wanted.limit],
  )
  return rows
}

/** Puts new sealed values into a column. */
export async function updateSealed(
  transaction: Transaction,
  { table, column, id }: SealedColumn,
  values: readonly SealedValue[],
): Promise<void> {
  await transaction.query(
    `update ${table} as target set ${column} = fresh.sealed
    from unnest($1::text[], $2::bytea[]) as fresh (id, sealed) where target.${id} = fresh.id`,
    [values.map((value) => value.id), values.map(({ sealed }) => sealed)],
  )
}

/**
 * Retires the keys that seal no row any more, but for `keyId`. Waits for whoever is writing with one
 * of them, and from the commit on nobody can (trigger refuse_retired_key).
 * @returns the retired ones
 */
export async function retireUnused(
  transaction: Transaction,
  keyId: string,
  now: Date,
): Promise<string[]> {
  await transaction.query(
    'select from cleverctl.keyring_key where retired_at is null and id <> $1 order by id for update',
    [keyId],
  )
  const used = (await countSealed(transaction)).map((count) => count.keyId)
  const { rows } = await transaction.query<{ id: string }>(
    `update cleverctl.keyring_key set retired_at = $3
    where retired_at is null and id <> $1 and id <> all ($2::text[]) returning id`,
    [keyId, used, now],
  )
  return rows.map(({ id }) => id)
}

/** The id of the key that sealed a value: bytes 2 to 9. */
function keyIdOf(column: string): string {
  return `encode(substring(${column} from 2 for 8), 'hex')`
}
