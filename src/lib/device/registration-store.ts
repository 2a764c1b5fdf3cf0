import type { Writable } from 'node:stream'
import type { Transaction } from '../database/database.js'
import type { KnownDevice } from './sift.js'

/** Where a run's devices are written: the registry, or for a dry run a table that goes with the transaction. */
export type RegistrationTable = 'registry' | 'dry-run'

/** How long one registration waits for another. */
const LOCK_WAIT = '60s'
const LOCK = `hashtextextended('cleverctl.device.register', 0)`

/**
 * Makes this transaction fit for a million rows or a slow stdin: lifts the limits on how long it
 * takes, and has serials looked up by their index. The planner, which knows the table as it was
 * before the run, would read the whole of it for each chunk: work that grows by the square.
 */
export async function prepareLongTransaction(transaction: Transaction): Promise<void> {
  await transaction.query('set local statement_timeout = 0')
  await transaction.query('set local idle_in_transaction_session_timeout = 0')
  await transaction.query('set local enable_seqscan = off')
}

/** Takes the lock that lets one registration run at a time, if it is free now; it ends with the transaction. */
export async function tryLockRegistration(transaction: Transaction): Promise<boolean> {
  const { rows } = await transaction.query<{ isLocked: boolean }>(
    `select pg_try_advisory_xact_lock(${LOCK}) as "isLocked"`,
  )
  return rows[0]?.isLocked === true
}

/** Who holds that lock, for a message. */
export async function describeLockHolder(transaction: Transaction): Promise<string> {
  const { rows } = await transaction.query<{ holder: string }>(
    `select format('%s, process %s, since %s', activity.usename, activity.pid,
       to_char(activity.xact_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) as holder
     from pg_locks as lock join pg_stat_activity as activity on activity.pid = lock.pid
     where lock.locktype = 'advisory' and lock.granted and lock.objsubid = 1
       and lock.database = (select oid from pg_database where datname = current_database())
       and (lock.classid::bigint << 32 | lock.objid::bigint) = ${LOCK}`,
  )
  return rows[0]?.holder ?? 'it has just ended'
}

/** Waits a minute for that lock. Throws ConflictError when it is not free by then. */
export async function waitForRegistrationLock(transaction: Transaction): Promise<void> {
  await transaction.query(`set local lock_timeout = '${LOCK_WAIT}'`)
  await transaction.query(`select pg_advisory_xact_lock(${LOCK})`)
  await transaction.query('set local lock_timeout to default')
}

/** The highest id that a device has; 0 in an empty registry. */
export async function selectLastDeviceId(transaction: Transaction): Promise<number> {
  const { rows } = await transaction.query<{ id: string }>(
    'select coalesce(max(id), 0) as id from cleverctl.device',
  )
  return Number(rows[0]?.id)
}

/** Both tables of a dry run: what is registered, and what this run would have registered. */
const REHEARSED = `(
    select id, serial, model, batch, manufactured_at from cleverctl.device
    union all select null, serial, model, batch, manufactured_at from pg_temp.cleverctl_dry_run
  ) as device`

/** The first serial from one on, itself included, that is registered; null when there is none. */
export async function selectNextSerial(
  transaction: Transaction,
  table: RegistrationTable,
  serial: string,
): Promise<string | null> {
  const { rows } = await transaction.query<{ serial: string | null }>(
    `select min(serial) as serial from ${table === 'registry' ? 'cleverctl.device' : REHEARSED}
     where serial >= $1`,
    [serial],
  )
  return rows[0]?.serial ?? null
}

/** The registered ones among serials. @param lastId the highest id before this run */
export async function selectKnownDevices(
  transaction: Transaction,
  table: RegistrationTable,
  serials: readonly string[],
  lastId: number,
): Promise<Map<string, KnownDevice>> {
  // A serial holds no comma, and one text is sent and parsed much faster than an array of thousands.
  const { rows } = await transaction.query<{
    id: string | null
    serial: string
    model: string
    batch: string
    manufacturedAt: string
    isOfThisRun: boolean
  }>(
    `select id, serial, model, batch, extract(epoch from manufactured_at) * 1000 as "manufacturedAt",
       id is null or id > $2 as "isOfThisRun"
     from ${table === 'registry' ? 'cleverctl.device' : REHEARSED}
     where serial = any(string_to_array($1, ','))`,
    [serials.join(','), lastId],
  )
  return new Map(
    rows.map(({ id, serial, manufacturedAt, ...device }) => [
      serial,
      { id: Number(id), manufacturedAt: Number(manufacturedAt), ...device },
    ]),
  )
}

/** Makes the table into which a dry run writes. It vanishes with the transaction. */
export async function createDryRunTable(transaction: Transaction): Promise<void> {
  await transaction.query(
    `create temporary table cleverctl_dry_run (
       serial text collate "C" primary key, model text, batch text, manufactured_at timestamptz,
       secret_sha256 bytea
     ) on commit drop`,
  )
}

/** A stream that takes devices as COPY text: serial, model, batch, manufactured_at, secret_sha256. */
export async function openDeviceCopy(
  transaction: Transaction,
  table: RegistrationTable,
): Promise<Writable> {
  const { default: copyStreams } = await import('pg-copy-streams')
  const name = table === 'registry' ? 'cleverctl.device' : 'pg_temp.cleverctl_dry_run'
  return transaction.client.query(
    copyStreams.from(
      `copy ${name} (serial, model, batch, manufactured_at, secret_sha256) from stdin`,
    ),
  )
}

/** Whether an import whose secrets file has this digest was committed. */
export async function hasImport(transaction: Transaction, secretsSha256: Buffer): Promise<boolean> {
  const { rows } = await transaction.query(
    'select from cleverctl.device_import where secrets_sha256 = $1',
    [secretsSha256],
  )
  return rows.length > 0
}

/** Records a committed import by the digest of its secrets file. */
export async function insertImport(
  transaction: Transaction,
  record: {
    secretsSha256: Buffer
    imported: number
    unchanged: number
    rejected: number
    at: Date
  },
): Promise<void> {
  await transaction.query(
    `insert into cleverctl.device_import (secrets_sha256, imported, unchanged, rejected, committed_at)
     values ($1, $2, $3, $4, $5)`,
    [record.secretsSha256, record.imported, record.unchanged, record.rejected, record.at],
  )
}
