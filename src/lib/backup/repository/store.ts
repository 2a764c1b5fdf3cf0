import type { Queryable, Transaction } from '../../database/database.js'
import type { RepositoryFacts, RepositoryState } from './types.js'

/** A repository's row, without the passphrase. */
export interface RepositoryRow extends RepositoryFacts {
  id: string
  stanza: string
  state: RepositoryState
  addedAt: Date | null
  changedAt: Date
}

/** The passphrase of a repository as it is stored. */
export interface SealedPassphrase {
  passphraseId: string
  sealed: Buffer
}

const COLUMNS = `id, stanza, number, kind, settings, state, added_at as "addedAt", changed_at as "changedAt"`

/** Those of one stanza or of all that are in force or on their way, by number. */
export async function selectRepositories(
  database: Queryable,
  stanza: string | undefined,
): Promise<RepositoryRow[]> {
  const { rows } = await database.query<RepositoryRow>(
    `select ${COLUMNS} from cleverctl.backup_repository
     where state <> 'REMOVED' and ($1::text is null or stanza = $1) order by stanza, number`,
    [stanza ?? null],
  )
  return rows
}

/**
 * The repository of this number, the one in force before those that were taken out, and of these the last one. Nobody
 * else changes it until the transaction ends.
 */
export async function lockRepository(
  transaction: Transaction,
  stanza: string,
  number: number,
): Promise<(RepositoryRow & SealedPassphrase) | undefined> {
  const { rows } = await transaction.query<RepositoryRow & SealedPassphrase>(
    `select ${COLUMNS}, passphrase_id as "passphraseId", sealed from cleverctl.backup_repository
     where stanza = $1 and number = $2 order by state = 'REMOVED', changed_at desc, id desc limit 1 for update`,
    [stanza, number],
  )
  return rows[0]
}

/** Writes a new one down, on its way. @returns its id */
export async function insertRepository(
  transaction: Transaction,
  given: RepositoryFacts & SealedPassphrase & { stanza: string; at: Date },
): Promise<string> {
  const { stanza, number, kind, settings, passphraseId, sealed, at } = given
  const { rows } = await transaction.query<{ id: string }>(
    `insert into cleverctl.backup_repository
       (stanza, number, kind, settings, passphrase_id, sealed, state, changed_at)
     values ($1, $2, $3, $4, $5, $6, 'CHANGING', $7) returning id`,
    [stanza, number, kind, JSON.stringify(settings), passphraseId, sealed, at],
  )
  return (rows[0] as { id: string }).id
}

/** Says where a repository is on its way. */
export async function updateState(
  transaction: Transaction,
  id: string,
  state: RepositoryState,
  at: Date,
): Promise<void> {
  await transaction.query(
    `update cleverctl.backup_repository set state = $2, changed_at = $3,
       added_at = case when $2 = 'ACTIVE' then coalesce(added_at, $3) when $2 = 'REMOVED' then null else added_at end
     where id = $1`,
    [id, state, at],
  )
}
