import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ExitCode } from '../../../src/lib/errors.js'
import { runCli, type CliOptions, type CliResult } from '../cli.js'
import { freshDatabase, type FreshDatabase } from '../database.js'
import { killAt, type Halt } from '../halt.js'
import { DATA } from './cluster.js'
import { Estate, MACHINES, type MachineName } from './estate.js'

/** A document of a command, as loosely as a script reads it. */
export type Document = Record<string, unknown> & { error: { code: string; message: string } }

function wordsOf(line: string | readonly string[]): readonly string[] {
  return typeof line === 'string' ? line.split(' ') : line
}

/** An estate, and cleverctl on a machine in its network, with a database of its own in which nothing is recorded. */
export class EstateCommands {
  readonly estate: Estate
  readonly home: string
  readonly fresh: FreshDatabase

  private constructor(estate: Estate, fresh: FreshDatabase) {
    this.estate = estate
    this.fresh = fresh
    this.home = mkdtempSync(join(tmpdir(), 'cctl-operator-'))
  }

  /** Brings up everything. @param given as `Estate.up` takes it */
  static async up(given: { isBare?: boolean } = {}): Promise<EstateCommands> {
    const fresh = await freshDatabase()
    const commands = new EstateCommands(await Estate.up(given), fresh)
    await commands.json(['init', '--yes'])
    return commands
  }

  /** Ends everything. */
  async down(): Promise<void> {
    await this.estate.down()
    await this.fresh.drop()
    rmSync(this.home, { recursive: true, force: true })
  }

  /** Runs a command in the network of the estate. */
  async run(words: readonly string[], more: CliOptions = {}): Promise<CliResult> {
    const { home, fresh } = this
    const env = { CLEVERCTL_DATABASE_URL: fresh.url, ...more.env }
    return runCli(words, { home, cwd: home, network: this.estate.network, ...more, env })
  }

  /**
   * Runs a command that must end with `code`.
   * @param line its words, or a line in which spaces part them
   * @returns its document, or the result that its error brings
   */
  async json(
    line: string | readonly string[],
    code: number = ExitCode.ok,
    more: CliOptions = {},
  ): Promise<Document> {
    const words = wordsOf(line)
    const result = await this.run([...words, '--json'], more)
    assert.equal(result.code, code, `${words.join(' ')}: ${result.stdout}${result.stderr}`)
    return result.json() as Document
  }

  /** Kills a command where it stands still, and lets what it began elsewhere go on. @returns what the trail has of it */
  async killed(line: string | readonly string[], step: Halt): Promise<string> {
    const words = wordsOf(line)
    const action = words.slice(0, 2).join('.')
    const before = await this.#entries(action)
    await killAt(step, (more) => this.run(words, more))
    // PostgreSQL sees that a client is gone once its statement has ended.
    const question = `select 1 from pg_locks join pg_database on pg_database.oid = database
      where datname = current_database() and locktype = 'advisory'`
    while ((await this.fresh.database.query(question)).rows.length > 0) await sleep(50)
    return (await this.#entries(action)).slice(before.length).join()
  }

  /** Runs a script on the backup machine as root. @returns what it said, without the last line's end */
  async bak1(script: string): Promise<string> {
    return (await this.estate.machine('bak1').script(script)).trim()
  }

  async #entries(action: string): Promise<string[]> {
    const { rows } = await this.fresh.database.query<{ phase: string }>(
      'select phase from cleverctl.trail where action = $1 order by seq',
      [action],
    )
    return rows.map(({ phase }) => phase)
  }

  /** Records a machine as its role wants it. */
  async add(name: MachineName, ...more: string[]): Promise<Document> {
    const { estate } = this
    const isBackup = name === 'bak1'
    return this.json([
      ...['host', 'add', name, '--role', isBackup ? 'backup' : 'database'],
      ...['--address', estate.machine(name).address, '--identity', estate.key],
      ...['--host-key', estate.hostKey(name).fingerprint],
      ...(isBackup ? [] : ['--data-directory', DATA]),
      ...more,
    ])
  }

  /** Records all four. */
  async addAll(): Promise<void> {
    for (const name of Object.keys(MACHINES) as MachineName[])
      await this.add(name, '--location', name === 'bak1' ? 'hall-2' : 'hall-1')
  }
}
