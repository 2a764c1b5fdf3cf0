import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { inFreshHome } from './home.js'
import { runOnce, runWithPeak, type Chapter, type Figure } from './measure.js'

/** Of each log. CLEVERCTL_BENCH_LOG_MB makes it smaller, for a try. */
const MEGABYTES = Number(process.env['CLEVERCTL_BENCH_LOG_MB'] ?? 1000)
/** A session of a program that works for a while: two statements in three are quick, so few are logged. */
const STATEMENTS = 20
const PIECE = 2000

/**
 * `access sessions` over a log of statements and connections against pgBadger over the same file, and `wc -l`.
 */
export async function measureSessions(program: readonly string[]): Promise<Chapter> {
  return inFreshHome(program, ({ env, directory }) => {
    runOnce([...program, 'init', '--json'], { env })
    const figures = (['jsonlog', 'csvlog'] as const).flatMap((form) => {
      const file = join(directory, form === 'jsonlog' ? 'postgresql.json' : 'postgresql.csv')
      writeLog(file, form)
      const measured = measureForm(form, file, { program, env, directory })
      rmSync(file)
      return measured
    })
    return {
      title: 'Reading who was in',
      method: `One run each over a log of ${MEGABYTES} MB (${STATEMENTS} statements a session), in the page cache; pgBadger by one process, its report thrown away.`,
      figures,
    }
  })
}

function measureForm(
  form: 'jsonlog' | 'csvlog',
  file: string,
  {
    program,
    env,
    directory,
  }: { program: readonly string[]; env: NodeJS.ProcessEnv; directory: string },
): Figure[] {
  const lines = runOnce(['wc', '-l', file], { env })
  const own = runWithPeak(
    [...program, 'access', 'sessions', '--log', file, '--since', '36500d', '--json'],
    { env },
  )
  const { total } = JSON.parse(own.stdout) as { total: number }
  const report = join(directory, 'report.txt')
  const start = performance.now()
  const format = form === 'csvlog' ? 'csv' : form
  execFileSync('pgbadger', ['-q', '-f', format, '-o', report, file], { env, stdio: 'ignore' })
  const other = performance.now() - start
  if (/^Parsed 0 log entries/m.test(readFileSync(report, 'utf8')))
    throw new Error(`pgBadger read nothing of the ${form}`)
  const ratio = other / own.ms
  const megabytes = statSync(file).size / 1e6
  return [
    {
      what: `${form}: ${total.toLocaleString('en')} sessions, ${(megabytes / (own.ms / 1000)).toFixed(0)} MB/s`,
      figure: seconds(own.ms),
      baseline: `pgBadger ${seconds(other)}`,
      ratio,
      bar: { text: 'at least 10× as fast', reached: ratio >= 10 },
    },
    {
      what: `${form}: the same`,
      figure: seconds(own.ms),
      baseline: `\`wc -l\` ${seconds(lines.ms)}`,
      ratio: own.ms / lines.ms,
    },
    {
      what: `${form}: memory at its peak`,
      figure: `${own.peakMiB.toFixed(0)} MiB`,
      bar: { text: 'at most 200 MiB', reached: own.peakMiB <= 200 },
    },
  ]
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`
}

function writeLog(path: string, form: 'jsonlog' | 'csvlog'): void {
  const file = openSync(path, 'w')
  let size = 0
  for (let session = 0; size < MEGABYTES * 1e6; session += PIECE) {
    const records = Array.from({ length: PIECE }, (_, each) => sessionRecords(session + each))
    const text = records
      .flat()
      .map(form === 'jsonlog' ? asJson : asCsv)
      .join('')
    size += writeSync(file, text)
  }
  closeSync(file)
}

interface Entry {
  at: string
  pid: number
  id: string
  line: number
  start: string
  user: string | undefined
  port: number
  display: string
  transaction: string | undefined
  message: string
  application: string | undefined
  kind: string
}

/** Every 50 ms a session begins; process ids come round. */
function sessionRecords(number: number): Entry[] {
  const began = Date.UTC(2026, 0, 1) + number * 50
  const pid = 1000 + (number % 30_000)
  const [port, user] = [1024 + (number % 60_000), `app_${number % 7}`]
  const id = `${Math.floor(began / 1000).toString(16)}.${pid.toString(16)}`
  const time = (ms: number) =>
    new Date(began + ms).toISOString().replace('T', ' ').replace('Z', ' UTC')
  const start = `${time(0).slice(0, 19)} UTC`
  let line = 0
  const entry = (message: string, display: string, more: Partial<Entry> = {}): Entry => {
    line += 1
    const common = {
      at: time(line * 2),
      pid,
      id,
      line,
      start,
      port,
      display,
      message,
      kind: 'client backend',
    }
    return { ...common, user, transaction: undefined, application: undefined, ...more }
  }
  const at = `user=${user} database=fleet`
  return [
    entry(`connection received: host=10.77.0.11 port=${port}`, '', {
      user: undefined,
      kind: 'not initialized',
    }),
    entry(
      `connection authenticated: identity="${user}" method=scram-sha-256 (/etc/postgresql/15/main/pg_hba.conf:97)`,
      'authentication',
      { transaction: '3/17' },
    ),
    entry(
      `connection authorized: ${at} application_name=gate SSL enabled (protocol=TLSv1.3, cipher=TLS_AES_256_GCM_SHA384, bits=256)`,
      'authentication',
      { transaction: '3/17' },
    ),
    ...Array.from({ length: STATEMENTS }, (_, each) =>
      entry(
        `duration: ${each}.417 ms  statement: select serial, "at", energy_wh from reading where serial = 'CDX-${number}' and "at" > now() - interval '${each} days' order by "at" desc limit 100`,
        'SELECT',
        { transaction: `3/${each}`, application: 'gate' },
      ),
    ),
    entry(
      `disconnection: session time: 0:00:00.${String(line * 2).padStart(3, '0')} ${at} host=10.77.0.11 port=${port}`,
      'idle',
      { application: 'gate' },
    ),
  ]
}

function asJson(entry: Entry): string {
  const { at, user, pid, port, id, line, display, start, transaction, message, application, kind } =
    entry
  const record = {
    timestamp: at,
    ...(user === undefined ? {} : { user, dbname: 'fleet' }),
    ...{
      pid,
      remote_host: '10.77.0.11',
      remote_port: port,
      session_id: id,
      line_num: line,
      ps: display,
    },
    ...{ session_start: start, vxid: transaction, txid: 0, error_severity: 'LOG', message },
    ...{ application_name: application, backend_type: kind, query_id: 0 },
  }
  return `${JSON.stringify(record)}\n`
}

function asCsv(entry: Entry): string {
  const { at, user, pid, port, id, line, display, start, transaction, message, application, kind } =
    entry
  const quote = (text: string | undefined) =>
    text === undefined ? '' : `"${text.replaceAll('"', '""')}"`
  const names = [quote(user), user === undefined ? '' : '"fleet"']
  const head = [
    at,
    ...names,
    pid,
    quote(`10.77.0.11:${port}`),
    id,
    line,
    quote(display),
    start,
    transaction ?? '',
    0,
  ]
  const tail = [quote(application ?? ''), quote(kind), '', 0]
  return `${[...head, 'LOG', '00000', quote(message), '', '', '', '', '', '', '', '', ...tail].join(',')}\n`
}
