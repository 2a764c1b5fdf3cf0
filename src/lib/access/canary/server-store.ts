import type { Database, Transaction } from '../../database/database.js'
import { quoteName } from '../audit/types.js'
import type { CanaryRow } from './types.js'

/** A row that looks like the login of a program. */
export interface HoneyRow {
  service: string
  username: string
  password: string
}

type Decoy = Pick<CanaryRow, 'kind' | 'name' | 'reference'>

/** The comment of what has this name on a server; null: it has none. Undefined where there is nothing. */
export async function selectComment(
  database: Database | Transaction,
  { kind, name }: Pick<Decoy, 'kind' | 'name'>,
): Promise<string | null | undefined> {
  const { rows } = await database.query<{ comment: string | null }>(
    kind === 'role'
      ? `select shobj_description(oid, 'pg_authid') as comment from pg_roles where rolname = $1`
      : `select obj_description(oid, 'pg_class') as comment from pg_class where oid = to_regclass($1)`,
    [kind === 'role' ? name : quoteTable(name)],
  )
  return rows[0]?.comment
}

/** Makes a decoy, all of it or nothing; made already, nothing is changed. */
export async function makeDecoy(
  database: Database,
  decoy: Decoy,
  rows: readonly HoneyRow[],
): Promise<void> {
  await database.transaction(async (transaction) => {
    await lock(transaction, decoy)
    if ((await selectComment(transaction, decoy)) === decoy.reference) return
    if (decoy.kind === 'role') {
      await transaction.query(`create role ${quoteName(decoy.name)} nologin connection limit 0`)
      await comment(transaction, 'role', quoteName(decoy.name), decoy)
      return
    }
    const table = quoteTable(decoy.name)
    // Without keys: a look into an index would count as a use.
    await transaction.query(
      `create table ${table} (service text, username text, password text, updated_at timestamptz default now())`,
    )
    await transaction.query(`revoke all on ${table} from public`)
    await comment(transaction, 'table', table, decoy)
    await transaction.query(
      `insert into ${table} (service, username, password) select * from unnest($1::text[], $2::text[], $3::text[])`,
      [
        rows.map(({ service }) => service),
        rows.map(({ username }) => username),
        rows.map(({ password }) => password),
      ],
    )
  })
}

/** Drops a decoy; something else of its name, or nothing, is left as it is. */
export async function dropDecoy(database: Database, decoy: Decoy): Promise<void> {
  await database.transaction(async (transaction) => {
    await lock(transaction, decoy)
    if ((await selectComment(transaction, decoy)) !== decoy.reference) return
    await transaction.query(
      decoy.kind === 'role'
        ? `drop role ${quoteName(decoy.name)}`
        : `drop table ${quoteTable(decoy.name)}`,
    )
  })
}

/** Two runs at once: one waits for the other and finds the work done. */
async function lock(transaction: Transaction, { reference }: Decoy): Promise<void> {
  await transaction.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [reference])
}

async function comment(
  transaction: Transaction,
  kind: 'role' | 'table',
  name: string,
  { reference }: Decoy,
): Promise<void> {
  await transaction.query(`comment on ${kind} ${name} is '${reference.replaceAll("'", "''")}'`)
}

/** A table with its schema, as SQL has it. */
function quoteTable(name: string): string {
  return name.split('.').map(quoteName).join('.')
}
