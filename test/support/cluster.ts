import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { childrenOf } from './process-list.js'

const run = promisify(execFile)

/** The folder of the PostgreSQL programs that tests use: the newest installed one, or CLEVERCTL_TEST_POSTGRES_BIN. */
export function postgresPrograms(): string {
  const wanted = process.env['CLEVERCTL_TEST_POSTGRES_BIN']
  if (wanted) return wanted
  const majors = readdirSync('/usr/lib/postgresql')
    .map(Number)
    .sort((a, b) => b - a)
  return join('/usr/lib/postgresql', String(majors[0]), 'bin')
}

/** The account that runs test servers: PostgreSQL refuses root, so root hands over to `postgres`. */
export function serverAccount(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const [, , uid, gid] =
    readFileSync('/etc/passwd', 'utf8').match(/^(postgres):[^:]*:(\d+):(\d+):/m) ?? []
  if (uid === undefined || gid === undefined)
    throw new Error('tests run as root need the account postgres')
  return { uid: Number(uid), gid: Number(gid) }
}

/** A running throw-away PostgreSQL cluster. */
export interface Cluster {
  /** Everything of the cluster lies in here; mode 0700 of the server's account. */
  folder: string
  /** Folder of its unix socket. */
  socketFolder: string
  port: number
  logFile: string
  /** Runs a program of PostgreSQL as the server's account. */
  program(name: string, args: string[]): Promise<string>
  /** Makes a primary of a standby; returns when it takes changes. */
  promote(): Promise<void>
  /** Ends the server and everything that works for it by SIGKILL, as a machine that dies would. */
  kill(): void
  /** Stops the server, unless it was killed, and removes its folder. */
  stop(): Promise<void>
}

/**
 * Makes and starts a cluster in a temporary directory; superuser `postgres`, unix socket trusted.
 * Should this process be killed, a watchdog stops the server and removes the folder.
 * @param given.settings lines of postgresql.conf
 * @param given.hba lines of pg_hba.conf, instead of trust on the unix socket
 * @param given.prepare puts files (certificates) into the data folder before the first start
 */
export async function startCluster(given: {
  settings: readonly string[]
  hba?: readonly string[]
  port?: number
  prepare?: (dataFolder: string) => void
}): Promise<Cluster> {
  const { folder, program } = clusterFolder()
  const data = join(folder, 'data')
  const port = given.port ?? 5432
  await program('initdb', [
    '-D',
    data,
    '-U',
    'postgres',
    '-A',
    'trust',
    '--no-locale',
    '-E',
    'UTF8',
    '-N',
  ])
  const settings = [
    `unix_socket_directories = '${folder}'`,
    'unix_socket_permissions = 0777',
    `port = ${port}`,
    'fsync = off',
    'full_page_writes = off',
    'synchronous_commit = off',
    'shared_buffers = 32MB',
    'max_connections = 200',
    'autovacuum = off',
    ...given.settings,
  ]
  writeFileSync(join(data, 'postgresql.auto.conf'), `${settings.join('\n')}\n`)
  if (given.hba) writeFileSync(join(data, 'pg_hba.conf'), `${given.hba.join('\n')}\n`)
  given.prepare?.(data)
  return runCluster({ folder, port })
}

/**
 * A standby that follows a running cluster by streaming, from a base backup of it.
 * @param primary listens on 127.0.0.1 and lets `postgres` replicate
 */
export async function startStandby(primary: Cluster, port: number): Promise<Cluster> {
  const { folder, program } = clusterFolder()
  const from = `host=127.0.0.1 port=${primary.port} user=postgres`
  await program('pg_basebackup', ['-D', join(folder, 'data'), '-d', from, '-R', '-c', 'fast'])
  appendFileSync(
    join(folder, 'data', 'postgresql.auto.conf'),
    `port = ${port}\nunix_socket_directories = '${folder}'\n`,
  )
  return runCluster({ folder, port })
}

/** A new folder that belongs to the servers' account, and a way to run PostgreSQL's programs in it. */
function clusterFolder(): Pick<Cluster, 'folder' | 'program'> {
  const account = serverAccount()
  const folder = mkdtempSync(join(tmpdir(), 'cctl-pg-'))
  if (account.uid !== undefined && account.gid !== undefined)
    chownSync(folder, account.uid, account.gid)
  chmodSync(folder, 0o700)
  return { folder, program: programIn(folder) }
}

function programIn(folder: string): Cluster['program'] {
  return async (name, args) => {
    const options = { ...serverAccount(), cwd: folder }
    return (await run(join(postgresPrograms(), name), args, options)).stdout
  }
}

/** Starts the server whose data lies in a cluster's folder, with its watchdog. */
async function runCluster({ folder, port }: { folder: string; port: number }): Promise<Cluster> {
  const account = serverAccount()
  const [data, logFile] = [join(folder, 'data'), join(folder, 'log')]
  const program = programIn(folder)
  const watchdog = watch(folder, data, account)
  await new Promise<void>((resolve, reject) => {
    const args = ['-D', data, '-w', '-l', logFile, 'start']
    spawn(join(postgresPrograms(), 'pg_ctl'), args, { ...account, cwd: folder, stdio: 'ignore' })
      .on('error', reject)
      .on('exit', (code) => {
        if (code === 0) resolve()
        else reject(new Error(`the test server did not start: ${readFileSync(logFile, 'utf8')}`))
      })
  })
  let isKilled = false
  return {
    folder,
    socketFolder: folder,
    port,
    logFile,
    program,
    promote: async () => {
      await program('pg_ctl', ['-D', data, '-w', 'promote'])
    },
    kill: () => {
      isKilled = true
      for (const pid of serverProcesses(data)) process.kill(pid, 'SIGKILL')
    },
    stop: async () => {
      if (!isKilled) await program('pg_ctl', ['-D', data, '-m', 'immediate', '-w', 'stop'])
      if (watchdog !== undefined) process.kill(watchdog)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The postmaster of a running cluster's data folder, and its children. */
function serverProcesses(data: string): number[] {
  const postmaster = Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0])
  return [postmaster, ...childrenOf(postmaster)]
}

/** A shell that outlives this process and then clears up; @returns its process id */
function watch(
  folder: string,
  data: string,
  account: { uid?: number; gid?: number },
): number | undefined {
  const script =
    'while kill -0 "$1" 2>/dev/null; do sleep 1; done; "$2" -D "$3" -m immediate stop; rm -rf "$4"'
  const args = [
    '-c',
    script,
    'watchdog',
    String(process.pid),
    join(postgresPrograms(), 'pg_ctl'),
    data,
    folder,
  ]
  // `kill -0` of root's process is refused to the server's account, so the shell keeps this account
  // and pg_ctl, which refuses root, is started through the server's.
  if (account.uid !== undefined) {
    const setpriv = `setpriv --reuid ${account.uid} --regid ${account.gid} --clear-groups`
    args[1] = script.replace('"$2"', `${setpriv} "$2"`)
  }
  const child = spawn('/bin/sh', args, { detached: true, stdio: 'ignore', cwd: '/' })
  child.unref()
  return child.pid
}

/** A name that no other test uses. */
export function uniqueName(prefix: string): string {
  return `${prefix}_${randomBytes(6).toString('hex')}`
}
