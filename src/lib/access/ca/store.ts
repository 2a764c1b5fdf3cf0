import type { Queryable, Transaction } from '../../database/database.js'
import type { CaRow } from './types.js'

const COLUMNS = 'id, certificate, revocation_list as "revocationList", created_at as "createdAt"'

/** The authority that signs now; undefined where none was made. */
export async function selectCa(database: Queryable): Promise<CaRow | undefined> {
  const { rows } = await database.query<CaRow>(
    `select ${COLUMNS} from cleverctl.access_ca where replaced_at is null`,
  )
  return rows[0]
}

/** The same with its sealed key. */
export async function selectSealedCa(
  database: Queryable,
): Promise<(CaRow & { sealed: Buffer }) | undefined> {
  const { rows } = await database.query<CaRow & { sealed: Buffer }>(
    `select ${COLUMNS}, sealed from cleverctl.access_ca where replaced_at is null`,
  )
  return rows[0]
}

/** Lets one transaction at a time make an authority, and none while one signs. A row lock would not do: at first there is no row. */
export async function lockCa(transaction: Transaction): Promise<void> {
  await transaction.query(
    `select pg_advisory_xact_lock(hashtextextended('cleverctl.access_ca', 0))`,
  )
}

/** Grants that are not over and prove themselves by a certificate, by their people. */
export async function selectCertified(transaction: Transaction): Promise<string[]> {
  const { rows } = await transaction.query<{ email: string }>(
    `select handle as email from cleverctl.access_grant join cleverctl.account on account.id = account_id
     where method = 'certificate' and state <> 'ENDED' order by handle`,
  )
  return rows.map(({ email }) => email)
}

/** Erases the key of the authority that signs now. */
export async function replaceCa(transaction: Transaction, at: Date): Promise<void> {
  await transaction.query(
    'update cleverctl.access_ca set replaced_at = $1, sealed = null where replaced_at is null',
    [at],
  )
}

/** Adds the one that signs from now on. */
export async function insertCa(
  transaction: Transaction,
  { id, certificate, revocationList, sealed, createdAt }: CaRow & { sealed: Buffer },
): Promise<void> {
  await transaction.query(
    `insert into cleverctl.access_ca (id, certificate, revocation_list, sealed, created_at)
     values ($1, $2, $3, $4, $5)`,
    [id, certificate, revocationList, sealed, createdAt],
  )
}

/** Certificates of grants that are over and that would hold still. */
export async function selectRevoked(database: Queryable, now: Date): Promise<string[]> {
  const { rows } = await database.query<{ certificate: string }>(
    `select certificate from cleverctl.access_grant
     where certificate is not null and state in ('ENDING', 'ENDED') and ends_at > $1 order by id`,
    [now],
  )
  return rows.map(({ certificate }) => certificate)
}
