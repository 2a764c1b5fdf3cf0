import { FailureError } from '../../errors.js'
import { lastWords } from '../../host/say.js'
import type { HostRow } from '../../host/store.js'
import type { SshSession } from '../../ssh/session.js'
import { HEAD_BYTES } from './reading/log-head.js'
import type { LogSource } from './reading/resume.js'
import type { FoundLog } from './reading/server-reading.js'
import type { LogForm } from './types.js'

/** What a server says about its logs, and about who was in when it was asked. */
export interface LoggingServer {
  superusers: string[]
  /** Session ids, and process ids alone. */
  live: ReadonlySet<string>
  /** By the clock of its machine: whoever came before it and was in is among them. */
  askedAt: Date
  form: LogForm
  prefix: string
  /** Shell that sets where its logs are and how they are called. */
  place: string
}

interface Told {
  destination: string
  isCollecting: boolean
  directory: string
  prefix: string
  superusers: string[]
  live: { pid: number; start: number }[]
  now: number
}

const QUERY = `
select json_build_object(
  'destination', current_setting('log_destination'),
  'isCollecting', current_setting('logging_collector') = 'on',
  'directory', case when current_setting('log_directory') like '/%' then current_setting('log_directory')
    else current_setting('data_directory') || '/' || current_setting('log_directory') end,
  'prefix', current_setting('log_line_prefix'),
  'superusers', (select coalesce(json_agg(rolname order by rolname), '[]') from pg_roles where rolsuper),
  'live', (select coalesce(json_agg(json_build_object('pid', pid, 'start', floor(extract(epoch from backend_start)))), '[]')
    from pg_stat_activity where backend_type in ('client backend', 'walsender')),
  'now', extract(epoch from clock_timestamp()) * 1000);
`
/** A log may be of any size, and a line from a host of any speed. */
const READ_TIMEOUT_MS = 3_600_000
/** Some thousand logs with their beginnings. */
const MAX_LIST_BYTES = 16 * 1024 * 1024

/**
 * Asks a server where its logs are.
 * @throws FailureError where PostgreSQL does not answer or its logs are not in files
 */
export async function askLogging(
  session: SshSession,
  { postgresql }: HostRow,
): Promise<LoggingServer> {
  const { port, dataDirectory } = postgresql ?? { port: 0, dataDirectory: '' }
  const script = `export LC_ALL=C PGAPPNAME=cleverctl PGOPTIONS='-c statement_timeout=10s' PGCONNECT_TIMEOUT=10
    exec psql -XAtqw -v ON_ERROR_STOP=1 -p ${port} -d postgres -f -`
  const result = await session.run(script, { stdin: Buffer.from(QUERY) })
  if (result.code !== 0) throw new FailureError('psql-failed', `psql: ${lastWords(result)}`)
  const told = JSON.parse(result.stdout.toString('utf8')) as Told
  return {
    superusers: told.superusers,
    live: new Set(
      told.live.flatMap(({ pid, start }) => [
        `${start.toString(16)}.${pid.toString(16)}`,
        String(pid),
      ]),
    ),
    // What the log tells of a start may be the second alone.
    askedAt: new Date(Math.floor(told.now / 1000) * 1000),
    form: formOfServer(told),
    prefix: told.prefix,
    place: told.isCollecting ? `dir=${quote(told.directory)}; name='*'` : stderrOf(dataDirectory),
  }
}

/** A log of a host, unpacked there. Fails where that fails. */
function sourceOn(session: SshSession, path: string): LogSource {
  const whole = `exec ${unpackerOf(path)} < ${quote(path)}`
  return async (from, onStdout) => {
    // Of one open file, whatever its name leads to meanwhile.
    const rest = `exec < ${quote(path)} && head -c ${HEAD_BYTES} && exec tail -c +${from - HEAD_BYTES + 1}`
    const result = await session.run(from === 0 ? whole : rest, {
      ...{ onStdout, timeoutMs: READ_TIMEOUT_MS },
    })
    if (result.code !== 0) throw new FailureError('unreadable-log', `${path}: ${lastWords(result)}`)
  }
}

function unpackerOf(path: string): string {
  if (path.endsWith('.gz')) return 'gzip -dc'
  return path.endsWith('.zst') ? 'zstd -dcq' : 'cat'
}

function formOfServer({ destination, isCollecting }: Told): LogForm {
  const names = destination.split(',').map((name) => name.trim())
  if (isCollecting && names.includes('jsonlog')) return 'json'
  if (isCollecting && names.includes('csvlog')) return 'csv'
  if (names.includes('stderr')) return 'stderr'
  throw new FailureError('no-log-file', `the server logs to ${destination}, which is no file`)
}

/** Debian has no collector: the server's stderr is a file, and rotated copies lie beside it. */
function stderrOf(dataDirectory: string): string {
  return `file=$(readlink "/proc/$(head -n 1 ${quote(`${dataDirectory}/postmaster.pid`)})/fd/2") &&
    dir=$(dirname "$file") && name="$(basename "$file")*" && test -f "$file" || { echo 'its stderr is no file' >&2; exit 1; }`
}

/** Lists logs with their beginnings; one that goes meanwhile is left out. */
const LIST = `for file; do
  case $file in *.gz) unpack='gzip -dc' ;; *.zst) unpack='zstd -dcq' ;; *) unpack=cat ;; esac
  seen=$(stat -c '%.3Y %s' "$file") && head=$($unpack < "$file" 2>/dev/null | head -c ${HEAD_BYTES} | base64 -w 0) &&
    printf '%s %s %s\\0' "$seen" "$head" "$file"
done
:`

/**
 * The logs of a server.
 * @param since logs that were changed last before are left out
 * @throws FailureError where they are not where they were
 */
export async function listLogs(
  session: SshSession,
  { place, form, prefix }: LoggingServer,
  since: Date,
): Promise<FoundLog[]> {
  const script = `${place}
    find "$dir/" -maxdepth 1 -type f -name "$name" -newermt ${quote(since.toISOString())} -exec sh -c ${quote(LIST)} sh {} +`
  const result = await session.run(script, { maxOutputBytes: MAX_LIST_BYTES })
  if (result.code !== 0)
    throw new FailureError('no-logs', `cannot list the logs: ${lastWords(result)}`)
  const entries = result.stdout.toString('utf8').split('\0')
  return entries.flatMap((entry) => {
    const [, seconds, size, beginning = '', name] = /^(\S+) (\d+) (\S*) (.*)$/s.exec(entry) ?? []
    if (name === undefined || !isOfForm(name, form)) return []
    return {
      kind: { form, prefix, name },
      changedAt: new Date(Number(seconds) * 1000),
      size: Number(size),
      isPacked: /\.(?:gz|zst)$/.test(name),
      beginning: Buffer.from(beginning, 'base64'),
      source: sourceOn(session, name),
    }
  })
}

function isOfForm(path: string, form: LogForm): boolean {
  const plain = path.replace(/\.(?:gz|zst)$/, '').replace(/[.-]\d+$/, '')
  if (form === 'stderr') return !/\.(?:json|csv)$/.test(plain)
  return plain.endsWith(`.${form}`)
}

/** A word for the shell, whatever it holds. */
function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}
