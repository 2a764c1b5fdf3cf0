import { FailureError } from '../errors.js'
import { lastWords } from '../host/say.js'
import type { PostgresqlPlace } from '../host/types.js'
import type { SshSession } from '../ssh/session.js'

/** A standby as the primary sees it. */
export interface SeenStandby {
  /** Its application_name; pg_basebackup writes there what the administrator gave. */
  name: string
  address: string | null
  state: string
  syncState: string
}

/** A replication slot. */
export interface SeenSlot {
  name: string
  active: boolean
  /** `reserved`, `extended`, `unreserved` or `lost`; null for a slot that holds nothing yet. */
  walStatus: string | null
  /** Bytes of WAL that are kept for it. */
  retainedBytes: number | null
}

/** How PostgreSQL's archiver stands. */
export interface SeenArchiver {
  mode: string
  lastArchivedWal: string | null
  /** Seconds since then. */
  lastArchivedSeconds: number | null
  lastFailedWal: string | null
  lastFailedSeconds: number | null
  /** Segments that wait, and since when the oldest does. */
  readyCount: number
  oldestReadySeconds: number | null
}

/** What PostgreSQL says of itself. */
export interface SeenPostgresql {
  version: number
  isInRecovery: boolean
  systemIdentifier: string
  timeline: number
  /** Of a primary what was written, of a standby what was received; of the second what was replayed as well. */
  lsn: string
  replayLsn: string | null
  /** Seconds since the last transaction that was replayed was committed. */
  replayedSeconds: number | null
  /** `streaming` while WAL comes from the primary; null while it does not. */
  receiver: string | null
  hasChecksums: boolean
  dataDirectory: string
  walSegmentBytes: number
  synchronousNames: string
  standbys: SeenStandby[]
  slots: SeenSlot[]
  archiver: SeenArchiver
}

/** A database host: its PostgreSQL, or why that takes no connections. */
export type SeenDatabase =
  | { state: 'up'; facts: SeenPostgresql; clockOffsetMs: number }
  | { state: 'down'; reason: string; clockOffsetMs: number }

/** A connection was refused; anything else that psql ends with is a mistake of ours or a missing program. */
const PSQL_NO_CONNECTION = 2

const QUERY = `
select json_build_object(
  'version', current_setting('server_version_num')::integer,
  'isInRecovery', pg_is_in_recovery(),
  'systemIdentifier', (select system_identifier::text from pg_control_system()),
  'timeline', case when pg_is_in_recovery()
    then greatest((select received_tli from pg_stat_wal_receiver), (select timeline_id from pg_control_checkpoint()))
    else ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::integer end,
  'lsn', case when pg_is_in_recovery()
    then greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) else pg_current_wal_lsn() end,
  'replayLsn', case when pg_is_in_recovery() then pg_last_wal_replay_lsn() end,
  'replayedSeconds', extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()),
  'receiver', (select status from pg_stat_wal_receiver),
  'walSegmentBytes', pg_size_bytes(current_setting('wal_segment_size')),
  'dataDirectory', current_setting('data_directory'),
  'hasChecksums', current_setting('data_checksums') = 'on',
  'synchronousNames', current_setting('synchronous_standby_names'),
  'standbys', (select coalesce(json_agg(json_build_object('name', application_name, 'address', host(client_addr),
      'state', state, 'syncState', sync_state) order by application_name), '[]')
    from pg_stat_replication),
  'slots', (select coalesce(json_agg(json_build_object('name', slot_name, 'active', active, 'walStatus', wal_status,
      'retainedBytes', case when pg_is_in_recovery() then null
        else pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) end) order by slot_name), '[]')
    from pg_replication_slots where not temporary),
  'archiver', (select json_build_object('mode', current_setting('archive_mode'),
      'lastArchivedWal', last_archived_wal,
      'lastArchivedSeconds', extract(epoch from clock_timestamp() - last_archived_time),
      'lastFailedWal', last_failed_wal,
      'lastFailedSeconds', extract(epoch from clock_timestamp() - last_failed_time),
      'readyCount', (select count(*) from pg_ls_archive_statusdir() where name like '%.ready'),
      'oldestReadySeconds', (select extract(epoch from clock_timestamp() - min(modification))
        from pg_ls_archive_statusdir() where name like '%.ready'))
    from pg_stat_archiver));
`

/**
 * Asks PostgreSQL on a database host for all of it at once, and the host for its clock.
 * @throws UnreachableError when the host is lost, FailureError when psql is missing or may not see something
 */
export async function askPostgresql(
  session: SshSession,
  { port }: PostgresqlPlace,
): Promise<SeenDatabase> {
  const script = `export LC_ALL=C PGOPTIONS='-c statement_timeout=10s' PGCONNECT_TIMEOUT=10
    date +%s%3N
    exec psql -XAtqw -v ON_ERROR_STOP=1 -p ${port} -d postgres -f -`
  const askedAt = Date.now()
  const result = await session.run(script, { stdin: Buffer.from(QUERY) })
  const [time = '', ...lines] = result.stdout.toString('utf8').split('\n')
  // The host looked at its clock at some moment between both.
  const clockOffsetMs = offsetOf(Number(time), askedAt, Date.now())
  if (result.code === 0)
    return { state: 'up', facts: JSON.parse(lines.join('\n')) as SeenPostgresql, clockOffsetMs }
  const words = lastWords({ ...result, stdout: Buffer.alloc(0) })
  if (result.code === PSQL_NO_CONNECTION) return { state: 'down', reason: words, clockOffsetMs }
  throw new FailureError('psql-failed', `psql: ${words}`, {
    suggestions: ['the user must be able to run psql as a superuser by the unix socket'],
  })
}

/** How far a clock is off, in milliseconds; what the way to the host may explain counts as nothing. */
export function offsetOf(time: number, from: number, to: number): number {
  if (time < from) return time - from
  return time > to ? time - to : 0
}
