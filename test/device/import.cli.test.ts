import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PROGRAM, runCli, type CliResult } from '../support/cli.js'
import { freshDatabase, type FreshDatabase } from '../support/database.js'

const HEADER = 'serial,model,batch,manufacturedAt'
const line = (number: number): string =>
  `CDX-${String(number).padStart(6, '0')},CleverDx,B-2026-11,2026-11-02`
const lines = (count: number): string =>
  [HEADER, ...Array.from({ length: count }, (_, index) => line(index)), ''].join('\n')

interface Report {
  imported: number
  unchanged: number
  rejected: number
  rejects: { line: number; serial: string | null; code: string }[]
  rejectsFile: string | null
  secretsFile: string | null
  dryRun: boolean
  durationMs: number
}

describe('cleverctl device import', () => {
  let fresh: FreshDatabase
  let folder: string
  let input: string
  let secrets: string

  before(async () => {
    fresh = await freshDatabase()
  })
  after(() => fresh.drop())
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cctl-import-cli-'))
    input = join(folder, 'factory.csv')
    secrets = join(folder, 'secrets.csv')
    await fresh.database.query('truncate cleverctl.device, cleverctl.device_import cascade')
  })
  afterEach(() => rm(folder, { recursive: true }))

  const environment = (): Record<string, string> => ({
    CLEVERCTL_DATABASE_URL: fresh.url,
    CLEVERCTL_HOME: folder,
  })
  const run = (args: string[], stdin?: string): Promise<CliResult> =>
    runCli(['device', 'import', ...args], {
      env: environment(),
      home: folder,
      cwd: folder,
      ...(stdin === undefined ? {} : { input: stdin }),
    })
  const registered = async (): Promise<number> => {
    const { rows } = await fresh.database.query<{ count: number }>(
      'select count(*)::integer as count from cleverctl.device',
    )
    return rows[0]?.count ?? -1
  }

  it('reads stdin and reports one JSON document', async () => {
    const result = await run(['-', '--secrets-out', secrets, '--json'], lines(3))
    assert.equal(result.code, 0, result.stderr)
    const { durationMs, ...report } = result.json() as Report
    assert.deepEqual(report, {
      imported: 3,
      unchanged: 0,
      rejected: 0,
      rejects: [],
      rejectsFile: null,
      secretsFile: secrets,
      dryRun: false,
    })
    assert.ok(durationMs > 0)
    assert.equal((await readFile(secrets, 'utf8')).split('\n').length, 5)
  })

  it('says nothing of a secret on stdout, on stderr or in the trail', async () => {
    await writeFile(input, lines(3))
    const result = await run([input, '--secrets-out', secrets, '--verbose'])
    const { rows } = await fresh.database.query('select details::text from cleverctl.trail')
    const told = result.stdout + result.stderr + JSON.stringify(rows)
    for (const each of (await readFile(secrets, 'utf8')).trimEnd().split('\n').slice(1)) {
      const [serial, secret = ''] = each.split(',')
      assert.ok(/^clvd_.{50}$/.test(secret) && !told.includes(secret), serial)
    }
  })

  it('exits 3 for refused rows, the others taken in, and carries the whole result', async () => {
    const stdin = `${lines(2)}no serial,CleverDx,B-1,2026-01-31\n`
    const result = await run(['-', '--secrets-out', secrets, '--json'], stdin)
    assert.equal(result.code, 3)
    const { error, ...report } = result.json() as Report & { error: { code: string } }
    assert.equal(error.code, 'rows-rejected')
    assert.deepEqual([report.imported, report.rejected], [2, 1])
    assert.equal(report.rejectsFile, 'device-import.rejects.csv')
    assert.match(
      await readFile(join(folder, 'device-import.rejects.csv'), 'utf8'),
      /^4,bad-serial/m,
    )
    assert.equal(await registered(), 2)
  })

  it('exits 2 with --strict, nothing taken in', async () => {
    const stdin = `${lines(2)}no serial,CleverDx,B-1,2026-01-31\n`
    const result = await run(['-', '--secrets-out', secrets, '--strict', '--json'], stdin)
    assert.equal(result.code, 2)
    const report = result.json() as Report
    assert.deepEqual([report.imported, report.rejected], [0, 1])
    assert.equal(await registered(), 0)
    assert.ok(!(await readdir(folder)).includes('secrets.csv'))
  })

  it('exits 2 naming --secrets-out when that is missing, before it needs a database', async () => {
    await writeFile(input, lines(1))
    const result = await runCli(['device', 'import', input])
    assert.equal(result.code, 2)
    assert.match(result.stderr, /--secrets-out/)
  })

  it('ends although the writer of its stdin never does, when the header is wrong', async () => {
    const child = spawn(
      process.execPath,
      [PROGRAM, 'device', 'import', '-', '--secrets-out', secrets],
      {
        env: { PATH: process.env['PATH'] ?? '', HOME: folder, ...environment() },
        stdio: ['pipe', 'ignore', 'ignore'],
      },
    )
    child.stdin.on('error', () => undefined)
    child.stdin.write('a,b\n1,2\n')
    const code = await new Promise((resolve) => child.on('exit', resolve))
    assert.equal(code, 2)
  })

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`exits on ${signal} with nothing left behind, also while it waits for more`, async () => {
      const child = spawn(
        process.execPath,
        [PROGRAM, 'device', 'import', '-', '--secrets-out', secrets],
        {
          env: { PATH: process.env['PATH'] ?? '', HOME: folder, ...environment() },
          stdio: ['pipe', 'ignore', 'ignore'],
        },
      )
      child.stdin.on('error', () => undefined)
      child.stdin.write(lines(30_000))
      const deadline = Date.now() + 30_000
      while (Date.now() < deadline && !(await readdir(folder)).includes('secrets.csv.pending'))
        await new Promise((resolve) => setTimeout(resolve, 5))
      child.kill(signal)
      const code = await new Promise((resolve) => child.on('exit', resolve))
      assert.equal(code, signal === 'SIGINT' ? 130 : 143)
      assert.deepEqual(
        (await readdir(folder)).filter((name) => name.startsWith('secrets')),
        [],
      )
      assert.equal(await registered(), 0)
    })
  }

  it('registers nothing when the disk is full', async function () {
    if (process.platform === 'win32') this.skip()
    await writeFile(input, lines(20_000))
    const limited = spawn(
      'sh',
      [
        '-c',
        `trap '' XFSZ; ulimit -f 200; exec "$@"`,
        'sh',
        ...[process.execPath, PROGRAM, 'device', 'import', input, '--secrets-out', secrets],
      ],
      {
        env: { PATH: process.env['PATH'] ?? '', HOME: folder, ...environment() },
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    )
    let stderr = ''
    limited.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    const code = await new Promise((resolve) => limited.on('close', resolve))
    assert.ok(code === 1 || code === 2, `exit ${String(code)}: ${stderr}`)
    assert.match(stderr, /secrets\.csv/)
    assert.equal(await registered(), 0)
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.startsWith('secrets')),
      [],
    )
  })

  it('needs no more memory for many rows than for few', async () => {
    const peakOf = async (rows: number): Promise<number> => {
      const hook = join(folder, 'peak.mjs')
      const peak = join(folder, 'peak')
      await writeFile(
        hook,
        `import { writeFileSync } from 'node:fs'
        process.on('exit', () => writeFileSync(${JSON.stringify(peak)}, String(process.resourceUsage().maxRSS)))`,
      )
      const out = join(folder, `secrets-${rows}.csv`)
      const child = spawn(
        process.execPath,
        ['--import', hook, PROGRAM, 'device', 'import', '-', '--secrets-out', out],
        {
          env: { PATH: process.env['PATH'] ?? '', HOME: folder, ...environment() },
          stdio: ['pipe', 'ignore', 'inherit'],
        },
      )
      child.stdin.end(lines(rows))
      assert.equal(await new Promise((resolve) => child.on('close', resolve)), 0)
      return Number(await readFile(peak, 'utf8')) / 1024
    }
    const few = await peakOf(100_000)
    await fresh.database.query('truncate cleverctl.device, cleverctl.device_import cascade')
    const many = await peakOf(300_000)
    assert.ok(many < 200, `${many} MiB`)
    assert.ok(many < few * 1.25 + 10, `${few} MiB for 100,000 rows, ${many} MiB for 300,000`)
  })
})
