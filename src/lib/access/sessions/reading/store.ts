import type { Queryable, Transaction } from '../../../database/database.js'
import { ConflictError } from '../../../errors.js'
import type { JoinState } from '../join.js'
import type { ReaderState } from '../types.js'
import type { KnownLog, KnownServer } from './server-reading.js'

/** What is written down of a server's logs: JSON is text already, of the moment at which it was asked for. */
export interface KeptServer {
  server: string
  generation: number
  join: string
  logs: readonly (Omit<KnownLog, 'hasRecord' | 'point'> & { offset: number; reader: string })[]
}

/**
 * What is known of the logs of servers, by the server's name.
 * @param since logs that were done with before it are left out
 */
export async function selectReadings(
  database: Queryable,
  servers: readonly string[],
  since: Date,
): Promise<Map<string, KnownServer>> {
  const told = await database.query<{ server: string; generation: string; join: JoinState }>(
    `select server, generation, connections as join from cleverctl.session_server where server = any ($1)`,
    [servers],
  )
  const { rows } = await database.query<LogRow>(
    `select server, head_bytes as bytes, encode(head, 'hex') as sha256, log as name, changed_at as "changedAt",
      is_done as "isDone", offset_bytes::float8 as offset, reader
    from cleverctl.session_log where server = any ($1) and (not is_done or changed_at >= $2) order by changed_at, log`,
    [servers, since],
  )
  const logsOf = (server: string) => rows.filter((row) => row.server === server).map(knownLog)
  return new Map(
    told.rows.map(({ server, generation, join }) => [
      server,
      { generation: Number(generation), join, logs: logsOf(server) },
    ]),
  )
}

/**
 * Writes down where reading stands, in the transaction that adds the sessions.
 * @throws ConflictError where somebody else wrote it down since it was read
 */
export async function keepReadings(
  transaction: Transaction,
  kept: readonly KeptServer[],
): Promise<void> {
  const { rows } = await transaction.query<{ server: string }>(
    `insert into cleverctl.session_server as known (server, generation, connections)
    select * from unnest($1::text[], $2::bigint[], $3::json[])
    on conflict (server) do update set generation = excluded.generation, connections = excluded.connections
      where known.generation = excluded.generation - 1
    returning server`,
    [
      kept.map(({ server }) => server),
      kept.map(({ generation }) => generation),
      kept.map(({ join }) => join),
    ],
  )
  const lost = kept.find(({ server }) => !rows.some((row) => row.server === server))
  if (lost !== undefined) throw takenOver(lost.server)
  const logs = kept.flatMap((each) => each.logs.map((log) => ({ ...log, server: each.server })))
  await transaction.query(
    `insert into cleverctl.session_log (server, head, head_bytes, log, offset_bytes, changed_at, is_done, reader)
    select server, decode(sha256, 'hex'), bytes, log, told, changed_at, is_done, reader from unnest($1::text[], $2::text[],
      $3::int[], $4::text[], $5::bigint[], $6::timestamptz[], $7::boolean[], $8::json[])
      as log (server, sha256, bytes, log, told, changed_at, is_done, reader)
    on conflict (server, head) do update set log = excluded.log, offset_bytes = excluded.offset_bytes,
      changed_at = excluded.changed_at, is_done = excluded.is_done, reader = excluded.reader`,
    [
      logs.map(({ server }) => server),
      logs.map(({ head }) => head.sha256),
      logs.map(({ head }) => head.bytes),
      logs.map(({ name }) => name),
      logs.map(({ offset }) => offset),
      logs.map(({ changedAt }) => changedAt),
      logs.map(({ isDone }) => isDone),
      logs.map(({ reader }) => reader),
    ],
  )
}

interface LogRow extends Omit<KnownLog, 'head' | 'hasRecord' | 'point'> {
  server: string
  bytes: number
  sha256: string
  offset: number
  reader: ReaderState | null
}

function knownLog({ bytes, sha256, name, changedAt, isDone, offset, reader }: LogRow): KnownLog {
  return {
    head: { bytes, sha256 },
    name,
    changedAt,
    isDone,
    hasRecord: true,
    point: { offset, reader },
  }
}

function takenOver(server: string): ConflictError {
  return new ConflictError(
    'sessions-recorded-elsewhere',
    `another command records the sessions of ${server} at this moment`,
    { suggestions: ['give the command again when the other one has ended'] },
  )
}
