import type { Database, Queryable, Transaction } from '../database/database.js'

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
