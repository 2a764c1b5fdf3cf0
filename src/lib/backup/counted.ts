import type { Queryable, Transaction } from '../database/database.js'
import type { Count } from '../drill/count.js'

/** What a backup held, as it was counted when it was made. */
export interface BackupCount extends Count {
  label: string
  /** The standby on which it was counted. */
  host: string
  countedAt: Date
}

/** Keeps what was counted beside the label of the backup. */
export async function insertCount(
  transaction: Transaction,
  stanza: string,
  { label, host, systemIdentifier, timeline, lsn, tables, countedAt }: BackupCount,
): Promise<void> {
  await transaction.query(
    `insert into cleverctl.backup_count
       (stanza, label, host, system_identifier, timeline, lsn, tables, counted_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [stanza, label, host, systemIdentifier, timeline, lsn, JSON.stringify(tables), countedAt],
  )
}

/** What the backup of that label held; undefined where nobody counted. */
export async function selectCount(
  database: Queryable,
  stanza: string,
  label: string,
): Promise<BackupCount | undefined> {
  const { rows } = await database.query<BackupCount>(
    `select label, host, system_identifier as "systemIdentifier", timeline, lsn::text, tables,
       counted_at as "countedAt"
     from cleverctl.backup_count where stanza = $1 and label = $2`,
    [stanza, label],
  )
  return rows[0]
}
