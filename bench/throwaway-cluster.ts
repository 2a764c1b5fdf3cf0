import { spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runOnce } from './measure.js'

/** A PostgreSQL server for one benchmark, with durability on and room for a bulk load. */
export interface Cluster {
  /** Directory of its unix socket. */
  socket: string
  /** Directory of PostgreSQL's programs. */
  bin: string
  /** URL of a database on it. */
  url(database: string): string
  /** Runs statements by psql as the superuser. */
  psql(database: string, sql: string): string
  stop(): void
}

// Synchronous commit and fsync stay on: a figure without them would not be the tool's.
const SETTINGS = [
  "listen_addresses=''",
  'shared_buffers=1GB',
  'max_wal_size=4GB',
  'max_connections=50',
  'log_min_messages=fatal',
]

/** Starts the newest PostgreSQL of the machine in a temporary directory, as user postgres when run by root. */
export function startCluster(): Cluster {
  const bin = newestBinaries()
  const directory = mkdtempSync(join(tmpdir(), 'cleverctl-bench-'))
  const account = process.getuid?.() === 0 ? postgresAccount() : undefined
  if (account) chownSync(directory, account.uid, account.gid)
  const as = (command: readonly string[]) => {
    // pg_ctl's server inherits its output, so a pipe there would never close.
    const done = spawnSync(command[0] ?? '', command.slice(1), { stdio: 'ignore', ...account })
    if (done.status !== 0) throw new Error(`${command.join(' ')} failed in ${directory}`)
  }
  const data = join(directory, 'data')
  as([join(bin, 'initdb'), '-D', data, '-U', 'bench', '-A', 'trust', '--no-locale', '-E', 'UTF8'])
  const options = `-k ${directory} ${SETTINGS.map((setting) => `-c ${setting}`).join(' ')}`
  as([join(bin, 'pg_ctl'), '-D', data, '-w', '-o', options, '-l', join(directory, 'log'), 'start'])
  return {
    socket: directory,
    bin,
    url: (database) => `postgres://bench@/${database}?host=${encodeURIComponent(directory)}`,
    psql: (database, sql) =>
      runOnce(
        [
          join(bin, 'psql'),
          '-h',
          directory,
          '-U',
          'bench',
          '-d',
          database,
          '-qAtX',
          '-v',
          'ON_ERROR_STOP=1',
        ],
        {
          input: sql,
        },
      ).stdout.trim(),
    stop: () => {
      as([join(bin, 'pg_ctl'), '-D', data, '-m', 'immediate', '-w', 'stop'])
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

function newestBinaries(): string {
  const root = '/usr/lib/postgresql'
  const majors = existsSync(root)
    ? readdirSync(root)
        .map(Number)
        .filter((major) => major >= 15)
    : []
  if (majors.length === 0)
    throw new Error('the benchmarks need PostgreSQL 15 or later (apt-get install postgresql)')
  return join(root, String(Math.max(...majors)), 'bin')
}

function postgresAccount(): { uid: number; gid: number } {
  const id = (flag: string) => Number(runOnce(['id', flag, 'postgres']).stdout)
  return { uid: id('-u'), gid: id('-g') }
}
