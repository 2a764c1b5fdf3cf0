import { FailureError } from '../../errors.js'
import { lastWords } from '../../host/say.js'
import type { HostRow } from '../../host/store.js'
import type { SshSession } from '../../ssh/session.js'
import type { LogFeed, LogForm } from './read-log.js'

/** What a server says about its logs, and about who is in at this moment. */
export interface LoggingServer {
  prefix: string
  superusers: string[]
  /** Session ids, and process ids alone. */
  live: ReadonlySet<string>
  askedAt: Date
  form: LogForm
  /** Paths on the host, the one that was changed first in front. */
  logs: string[]
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

/**
 * Asks a server where its logs are.
 * @param since logs that were changed last before are left out
 * @throws FailureError where PostgreSQL does not answer or its logs are not in files
 */
export async function askLogging(
  session: SshSession,
  { postgresql }: HostRow,
  since: Date,
): Promise<LoggingServer> {
  const { port, dataDirectory } = postgresql ?? { port: 0, dataDirectory: '' }
  const script = `export LC_ALL=C PGOPTIONS='-c statement_timeout=10s' PGCONNECT_TIMEOUT=10
    exec psql -XAtqw -v ON_ERROR_STOP=1 -p ${port} -d postgres -f -`
  const result = await session.run(script, { stdin: Buffer.from(QUERY) })
  if (result.code !== 0) throw new FailureError('psql-failed', `psql: ${lastWords(result)}`)
  const told = JSON.parse(result.stdout.toString('utf8')) as Told
  const form = formOfServer(told)
  const logs = told.isCollecting
    ? await listLogs(session, `dir=${quote(told.directory)}; name='*'`, since)
    : await listLogs(session, stderrOf(dataDirectory), since)
  return {
    prefix: told.prefix,
    superusers: told.superusers,
    live: new Set(
      told.live.flatMap(({ pid, start }) => [
        `${start.toString(16)}.${pid.toString(16)}`,
        String(pid),
      ]),
    ),
    askedAt: new Date(told.now),
    form,
    logs: logs.filter((path) => isOfForm(path, form)),
  }
}

/** Reads a log of a host, unpacked there. @throws FailureError when that fails, and what the feed throws */
export async function streamLog(session: SshSession, path: string, feed: LogFeed): Promise<void> {
  const program = path.endsWith('.gz') ? 'gzip -dc' : path.endsWith('.zst') ? 'zstd -dcq' : 'cat'
  let failure: Error | undefined
  const take = (chunk: Buffer) => {
    if (failure !== undefined) return
    try {
      feed.take(chunk)
    } catch (error) {
      failure = error as Error
    }
  }
  const result = await session.run(`exec ${program} < ${quote(path)}`, {
    onStdout: take,
    timeoutMs: READ_TIMEOUT_MS,
  })
  if (failure !== undefined) throw failure
  if (result.code !== 0) throw new FailureError('unreadable-log', `${path}: ${lastWords(result)}`)
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

async function listLogs(session: SshSession, place: string, since: Date): Promise<string[]> {
  const script = `${place}
    find "$dir/" -maxdepth 1 -type f -name "$name" -newermt ${quote(since.toISOString())} -printf '%T@ %p\\0' | sort -zn`
  const result = await session.run(script)
  if (result.code !== 0)
    throw new FailureError('no-logs', `cannot list the logs: ${lastWords(result)}`)
  const entries = result.stdout.toString('utf8').split('\0')
  return entries.flatMap((entry) => (entry === '' ? [] : [entry.slice(entry.indexOf(' ') + 1)]))
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
