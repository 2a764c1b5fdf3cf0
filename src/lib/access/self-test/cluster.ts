import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, chmod, chown, mkdtemp, readFile, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../../database/database.js'
import { clientNames, serverAccount, type Account } from '../../database/embedded/account.js'
import { runDetaching, runProgram } from '../../database/embedded/child.js'
import { findPrograms } from '../../database/embedded/programs.js'
import { FailureError } from '../../errors.js'
import { freePort } from '../../free-port.js'
import type { Surroundings } from '../../surroundings.js'
import { openServer } from '../audit/target.js'

/** What a cluster is made with. */
export type ClusterNeeds = Pick<Surroundings, 'environment' | 'clock' | 'log' | 'signal'>

const START_TIMEOUT_S = '60'
const SETTINGS = 'settings.conf'
/** Without a word of options a restart looks for those of the last start, and the first has none. */
const NO_OPTIONS = ''

/**
 * A throw-away PostgreSQL server in a temporary folder. Its superuser has the name of the account that
 * runs this, so that peer needs no map. It listens on 127.0.0.1 and on a unix socket.
 */
export class Cluster {
  readonly superuser: string
  readonly folder: string
  readonly port: number
  readonly #programs: string
  readonly #account: Account
  readonly #needs: ClusterNeeds
  /** Stops the server and removes the folder as soon as this process lets go of it, or dies. */
  readonly #undertaker: ReturnType<typeof spawn>

  private constructor(given: {
    superuser: string
    folder: string
    port: number
    programs: string
    account: Account
    needs: ClusterNeeds
  }) {
    this.superuser = given.superuser
    this.folder = given.folder
    this.port = given.port
    this.#programs = given.programs
    this.#account = given.account
    this.#needs = given.needs
    const { uid, gid, isOther } = given.account
    this.#undertaker = spawn(
      '/bin/sh',
      [
        '-c',
        'cat >/dev/null; "$1" -D "$2/data" -m immediate -w -s stop; rm -rf "$2"',
        'undertaker',
        this.#program('pg_ctl'),
        this.folder,
      ],
      {
        cwd: '/',
        detached: true,
        stdio: ['pipe', 'ignore', 'ignore'],
        ...(isOther ? { uid, gid } : {}),
      },
    )
  }

  /**
   * Makes and starts one.
   * @param settings lines of postgresql.conf
   * @throws FailureError when PostgreSQL is missing or does not start
   */
  static async start(settings: readonly string[], needs: ClusterNeeds): Promise<Cluster> {
    const { environment, signal } = needs
    const account = await serverAccount()
    const folder = await mkdtemp(join(tmpdir(), 'cleverctl-self-test-'))
    if (account.isOther) await chown(folder, account.uid, account.gid)
    const { folder: programs } = await findPrograms(
      {
        mode: 'embedded',
        home: folder,
        binaries: environment['CLEVERCTL_POSTGRES_BIN'] || undefined,
        searchPath: environment['PATH'] ?? '',
      },
      { major: undefined, account, place: folder, preferred: undefined },
    )
    const [superuser = ''] = clientNames()
    const port = await freePort()
    const cluster = new Cluster({ superuser, folder, port, programs, account, needs })
    try {
      const { code, stderr } = await runProgram(
        cluster.#program('initdb'),
        [
          ...['-D', join(folder, 'data'), '-U', superuser, '--auth-local=peer'],
          ...['--auth-host=reject', '--no-locale', '-E', 'UTF8', '-N'],
        ],
        { account, folder, signal },
      )
      if (code !== 0)
        throw new FailureError('cluster-failed', `the throw-away server cannot be made: ${stderr}`)
      await cluster.#writeCertificate()
      await appendFile(join(folder, 'data', 'postgresql.conf'), `include = '${SETTINGS}'\n`)
      await cluster.configure(settings)
      return cluster
    } catch (error) {
      await cluster.stop()
      throw error
    }
  }

  /** Starts the server with these settings, and no others of its own. */
  async configure(settings: readonly string[]): Promise<void> {
    await this.#write(SETTINGS, [
      `unix_socket_directories = '${this.folder}'`,
      `port = ${this.port}`,
      "listen_addresses = '127.0.0.1'",
      'fsync = off',
      'shared_buffers = 16MB',
      ...settings,
    ])
    await this.restart()
  }

  /** Opens a database of the server by the unix socket. */
  async open(database: string, role = this.superuser): Promise<Database> {
    const { log, signal } = this.#needs
    const place = `host=${encodeURIComponent(this.folder)}&port=${this.port}`
    const dsn = `postgres://${encodeURIComponent(role)}@/${database}?${place}`
    const environment = { CLEVERCTL_HOME: this.folder, HOME: this.folder }
    const server = await openServer(dsn, { environment, log, signal })
    return server.open()
  }

  /** Starts the server, or starts it again, with the settings that it has by now. */
  async restart(): Promise<void> {
    const args = ['-D', join(this.folder, 'data'), '-l', join(this.folder, 'log'), '-w', '-s']
    const code = await runDetaching(
      this.#program('pg_ctl'),
      [...args, '-m', 'fast', '-t', START_TIMEOUT_S, '-o', NO_OPTIONS, 'restart'],
      { account: this.#account, folder: this.folder },
    )
    if (code === 0) return
    const log = await readFile(join(this.folder, 'log'), 'utf8').catch(() => '')
    const reason = log.split('\n').find((line) => line.includes('FATAL:')) ?? 'no reason is given'
    throw new FailureError('cluster-failed', `the throw-away server does not start: ${reason}`, {
      suggestions: ['name other programs of PostgreSQL by CLEVERCTL_POSTGRES_BIN'],
    })
  }

  /** Has the server read its files, and waits until new connections go by them. */
  async reload(): Promise<void> {
    const loadedAt = async () => {
      const database = await this.open('postgres')
      try {
        const { rows } = await database.query<{ at: Date }>('select pg_conf_load_time() as at')
        return rows[0]?.at.getTime()
      } finally {
        await database.close()
      }
    }
    const former = await loadedAt()
    const database = await this.open('postgres')
    await database.query('select pg_reload_conf()')
    await database.close()
    while ((await loadedAt()) === former) await sleep(5, undefined, { signal: this.#needs.signal })
  }

  /** Writes pg_hba.conf or pg_ident.conf. @param isUnread dated later than anything the server has read */
  async writeRules(
    name: 'pg_hba.conf' | 'pg_ident.conf',
    lines: readonly string[],
    isUnread = false,
  ): Promise<void> {
    await this.#write(name, lines)
    const later = new Date(this.#needs.clock.now().getTime() + 60_000)
    if (isUnread) await utimes(join(this.folder, 'data', name), later, later)
  }

  /** Stops the server and removes everything; returns when that is done. */
  async stop(): Promise<void> {
    if (this.#undertaker.exitCode !== null) return
    const isDone = once(this.#undertaker, 'exit')
    this.#undertaker.stdin?.end()
    await isDone
  }

  #program(name: string): string {
    return join(this.#programs, name)
  }

  async #write(name: string, lines: readonly string[]): Promise<void> {
    const file = join(this.folder, 'data', name)
    await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 })
    await chmod(file, 0o600)
    const { uid, gid, isOther } = this.#account
    if (isOther) await chown(file, uid, gid)
  }

  async #writeCertificate(): Promise<void> {
    const { generate } = await import('selfsigned')
    const made = await generate([{ name: 'commonName', value: 'localhost' }], {
      keyType: 'ec',
      curve: 'P-256',
      algorithm: 'sha256',
    })
    await this.#write('server.crt', [made.cert.trim()])
    await this.#write('server.key', [made.private.trim()])
  }
}
