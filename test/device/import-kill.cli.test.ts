import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { hash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { PROGRAM, runCli } from '../support/cli.js'
import { freshDatabase, type FreshDatabase } from '../support/database.js'

const ROWS = 200_000
const KILLS = 20
const SEED = Number(process.env['KILL_SEED'] ?? 20_261_123)

describe('a device import that is killed', () => {
  let fresh: FreshDatabase
  let folder: string
  let state = SEED

  before(async () => {
    fresh = await freshDatabase()
    folder = await mkdtemp(join(tmpdir(), 'cctl-kill-'))
    const rows = Array.from(
      { length: ROWS },
      (_, index) => `CDX-${String(index).padStart(6, '0')},CleverDx,B-2026-11,2026-11-02`,
    )
    await writeFile(file('factory.csv'), ['serial,model,batch,manufacturedAt', ...rows].join('\n'))
  })
  after(async () => {
    await rm(folder, { recursive: true })
    await fresh.drop()
  })

  const file = (name: string): string => join(folder, name)
  const command = (): string[] => [
    ...['device', 'import', file('factory.csv'), '--secrets-out', file('secrets.csv'), '--json'],
  ]
  const environment = (): Record<string, string> => ({
    CLEVERCTL_DATABASE_URL: fresh.url,
    CLEVERCTL_HOME: folder,
    HOME: folder,
    PATH: process.env['PATH'] ?? '',
  })

  function random(): number {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return state / 0x7fffffff
  }

  /** Runs the import and kills it when `moment` comes, unless it ends before. */
  async function killAt(moment: () => Promise<unknown>): Promise<void> {
    const child = spawn(process.execPath, [PROGRAM, ...command()], {
      env: environment(),
      stdio: 'ignore',
    })
    const ended = new Promise((resolve) => child.on('exit', resolve))
    await Promise.race([moment(), ended])
    child.kill('SIGKILL')
    await ended
  }

  async function fileAppears(name: string): Promise<void> {
    const deadline = Date.now() + 60_000
    while (!existsSync(file(name)) && Date.now() < deadline) await setTimeout(1)
  }

  /** @returns how many devices are registered, each of which has its secret in the file */
  async function registeredWithSecrets(): Promise<number> {
    const { rows } = await fresh.database.transaction(async (transaction) => {
      // What the killed one's connection has begun ends first.
      await transaction.query(
        `select pg_advisory_xact_lock(hashtextextended('cleverctl.device.register', 0))`,
      )
      return transaction.query<{ serial: string; digest: string }>(
        `select serial, encode(secret_sha256, 'hex') as digest from cleverctl.device`,
      )
    })
    if (rows.length === 0) return 0
    const lines = (await readFile(file('secrets.csv'), 'utf8')).trimEnd().split('\n').slice(1)
    const secrets = new Map(lines.map((line) => line.split(',') as [string, string]))
    for (const { serial, digest } of rows)
      assert.equal(hash('sha256', secrets.get(serial) ?? ''), digest, serial)
    return rows.length
  }

  async function finish(): Promise<void> {
    const result = await runCli(command(), { env: environment(), home: folder })
    assert.equal(result.code, 0, result.stderr)
    const { imported, unchanged } = result.json() as { imported: number; unchanged: number }
    assert.equal(imported + unchanged, ROWS)
    assert.equal(await registeredWithSecrets(), ROWS)
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.endsWith('.csv') || name.endsWith('.pending')),
      ['factory.csv', 'secrets.csv'],
    )
  }

  async function beginAnew(): Promise<void> {
    await fresh.database.query('truncate cleverctl.device, cleverctl.device_import cascade')
    await rm(file('secrets.csv'), { force: true })
    await rm(file('secrets.csv.pending'), { force: true })
  }

  it(`leaves no device without its secret, ${KILLS} times over, and ends when given again (seed ${SEED})`, async () => {
    const started = performance.now()
    await finish()
    const wholeMs = performance.now() - started
    await beginAnew()
    let committed = 0
    for (let kill = 0; kill < KILLS; kill += 1) {
      // Every fourth one falls between the file's coming to its place and the end of the program.
      const delay = random()
      await killAt(
        kill % 4 === 3
          ? () => fileAppears('secrets.csv').then(() => setTimeout(delay * 100))
          : () => setTimeout(delay * wholeMs),
      )
      const registered = await registeredWithSecrets()
      assert.ok(registered === 0 || registered === ROWS, `${registered} devices after kill ${kill}`)
      if (registered === 0) continue
      committed += 1
      await finish()
      await beginAnew()
    }
    await finish()
    assert.ok(committed < KILLS, 'at least one was killed before its end')
  })
})
