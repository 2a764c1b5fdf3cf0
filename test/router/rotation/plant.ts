import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ExitCode } from '../../../src/lib/errors.js'
import { runCli, type CliOptions, type CliResult } from '../../support/cli.js'
import { freshDatabase, type FreshDatabase } from '../../support/database.js'
import type { TestRouter } from '../../support/router/test-router.js'

/** The recorded secrets of a test router that was just started. */
export const FIRST = {
  password: 'Old-router-password-1',
  ssid: 'Old plant',
  passphrase: 'old-passphrase-1',
}

/** A version of a secret as `router show` tells it. */
export interface Version {
  kind: string
  version: number
  state: string
  name: string
}

/** The program with a database and a home of its own, and installations with routers. */
export class Plant {
  readonly home = mkdtempSync(join(tmpdir(), 'cctl-plant-'))
  readonly #environment: Record<string, string>
  readonly #fresh: FreshDatabase | undefined

  private constructor(environment: Record<string, string>, fresh?: FreshDatabase) {
    this.#environment = environment
    this.#fresh = fresh
  }

  /** On a database of somebody else, by the environment that leads to it. */
  static at(environment: Record<string, string>): Plant {
    return new Plant(environment)
  }

  /** @param installations how many: solar-1, solar-2, … */
  static async make(installations = 40): Promise<Plant> {
    const fresh = await freshDatabase()
    const plant = new Plant({ CLEVERCTL_DATABASE_URL: fresh.url }, fresh)
    await fresh.database.query(
      `insert into cleverctl.installation (code, name, timezone, latitude, longitude)
       select 'solar-' || n, 'Almeria', 'Europe/Madrid', 36.84, -2.46 from generate_series(1, $1::integer) as n`,
      [installations],
    )
    await plant.run(['init', '--yes'])
    return plant
  }

  async remove(): Promise<void> {
    await this.fresh.drop()
    this.clear()
  }

  /** Removes its home alone. */
  clear(): void {
    rmSync(this.home, { recursive: true, force: true })
  }

  /** Its own database. */
  get fresh(): FreshDatabase {
    if (this.#fresh === undefined) throw new Error('the database is of somebody else')
    return this.#fresh
  }

  options(more: CliOptions = {}): CliOptions {
    const env = { ...this.#environment, ...more.env }
    return { home: this.home, cwd: this.home, ...more, env }
  }

  async run(words: readonly string[], more: CliOptions = {}): Promise<CliResult> {
    return runCli(words, this.options(more))
  }

  /** Runs a command that must end with `code`. @returns its document */
  async json<Document = { error: { code: string; message: string } }>(
    words: readonly string[],
    code: number = ExitCode.ok,
  ): Promise<Document> {
    const result = await this.run([...words, '--json'])
    assert.equal(result.code, code, `${words.join(' ')}\n${result.stdout}${result.stderr}`)
    return result.json() as Document
  }

  file(name: string, text: string): string {
    writeFileSync(join(this.home, name), text, { mode: 0o600 })
    return join(this.home, name)
  }

  /** Records a router. @param more e.g. another login */
  async add(
    installation: string,
    router: Pick<TestRouter, 'address' | 'port' | 'hostKey'>,
    driver = 'openwrt',
    more: readonly string[] = [],
  ): Promise<void> {
    await this.json([
      ...['router', 'add', installation, '--driver', driver, '--address', router.address],
      ...['--port', String(router.port), '--host-key', router.hostKey.fingerprint],
      ...['--password-file', this.file('password', FIRST.password), '--ssid', FIRST.ssid],
      ...['--wifi-password-file', this.file('wifi', FIRST.passphrase), ...more],
    ])
  }

  /** What the database says is in force. */
  async secret(installation: string, what: 'admin' | 'wifi'): Promise<string> {
    const words = ['router', 'reveal', installation, '--what', what, '--reason', 'test', '--reveal']
    return (await this.json<{ secret: string }>(words)).secret
  }

  async versions(installation: string): Promise<Version[]> {
    const shown = await this.json<{ credentials: Version[] }>(['router', 'show', installation])
    return shown.credentials
  }

  /** What the trail tells of a router's rotations, in order. */
  async story(installation: string): Promise<string[]> {
    const { rows } = await this.fresh.database.query<{ told: string }>(
      `select concat_ws(' ', phase, details->>'step', details->>'inForce') as told from cleverctl.trail
       where subject = $1 and action = 'router.rotate' order by seq`,
      [installation],
    )
    return rows.map(({ told }) => told)
  }

  /** That the secrets which the database has in force are those of the router, on air as well. */
  async assertInForce(installation: string, router: TestRouter): Promise<void> {
    const [password, passphrase] = [
      await this.secret(installation, 'admin'),
      await this.secret(installation, 'wifi'),
    ]
    assert.ok(
      await hasPassword(router, password),
      'the recorded password is not that of the router',
    )
    const wifi = (await this.versions(installation)).find(
      ({ kind, state }) => kind === 'wifi' && state === 'CURRENT',
    )
    const digest = createHash('sha256').update(passphrase).digest('hex')
    for (const { ssid, keyDigest } of router.onAir())
      assert.deepEqual([ssid, keyDigest], [wifi?.name, digest])
    assert.match(router.readFlash('/etc/config/wireless') ?? '', new RegExp(`key '${passphrase}'`))
  }
}

/** Whether a password is the one of a router's account, by what its flash keeps of it. */
export async function hasPassword(
  router: TestRouter,
  password: string,
  account = 'root',
): Promise<boolean> {
  const line = (router.readFlash('/etc/shadow') ?? '')
    .split('\n')
    .find((each) => each.startsWith(`${account}:`))
  const [, hash = ''] = line?.split(':') ?? []
  const [, kind = '', salt = ''] = hash.split('$')
  const { execFileSync } = await import('node:child_process')
  const made = execFileSync('openssl', ['passwd', `-${kind}`, '-salt', salt, '-stdin'], {
    input: password,
    encoding: 'utf8',
  })
  return made.trim() === hash
}

/** The text of a file of the plant's home. */
export function textOf(path: string): string {
  return readFileSync(path, 'utf8')
}
