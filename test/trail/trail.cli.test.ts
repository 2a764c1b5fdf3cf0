import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ExitCode } from '../../src/lib/errors.js'
import { appendTrail } from '../../src/lib/trail/append.js'
import { runCli } from '../support/cli.js'
import { freshDatabase, type FreshDatabase } from '../support/database.js'

describe('the trail commands', () => {
  let fresh: FreshDatabase
  let folder: string
  const actor = { osUser: 'engineer', host: 'desk', ciJob: undefined }

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cctl-trail-'))
    fresh = await freshDatabase()
    await fresh.database.transaction(async (transaction) => {
      await appendTrail(transaction, actor, { action: 'device.register', subject: 'CDX-000123' })
      await appendTrail(transaction, actor, {
        action: 'device.revoke',
        subject: 'CDX-000123',
        details: { reason: 'a \u009b31m trick' },
      })
      await appendTrail(transaction, actor, { action: 'api-key.issue', subject: 'solar-0042' })
    })
  })
  afterEach(async () => {
    await fresh.drop()
    rmSync(folder, { recursive: true })
  })

  const trail = (...words: string[]) =>
    runCli(['trail', ...words], { env: { CLEVERCTL_DATABASE_URL: fresh.url } })
  const tamper = () =>
    fresh.database.query(
      `set session_replication_role = replica;
      update cleverctl.trail set subject = 'CDX-000999' where seq = 2;
      reset session_replication_role`,
    )

  it('list what was done, in full in a pipe and as one document with --json', async () => {
    const { code, stdout } = await trail('list', '--action', 'device')
    assert.equal(code, ExitCode.ok)
    const cells = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'))
    assert.deepEqual(
      cells.map(([seq, , who, role, ciJob, phase, action, subject]) => [
        seq,
        who,
        role,
        ciJob,
        phase,
        action,
        subject,
      ]),
      [
        ['2', 'engineer@desk', 'postgres', '-', 'change', 'device.revoke', 'CDX-000123'],
        ['1', 'engineer@desk', 'postgres', '-', 'change', 'device.register', 'CDX-000123'],
      ],
    )
    const page = (await trail('list', '--limit', '2', '--json')).json() as {
      steps: { seq: number }[]
      nextCursor: string
    }
    assert.deepEqual([page.steps.map(({ seq }) => seq), page.nextCursor], [[3, 2], '2'])
    const next = (await trail('list', '--cursor', '2', '--json')).json() as typeof page
    assert.deepEqual([next.steps.map(({ seq }) => seq), next.nextCursor], [[1], undefined])
  })

  it('verify: exit 0 and the head when sound, exit 8 and the problems when not', async () => {
    const sound = await trail('verify', '--json')
    assert.equal(sound.code, ExitCode.ok)
    const { rows, head, problems } = sound.json() as {
      rows: number
      head: { seq: number; hash: string }
      problems: object[]
    }
    assert.deepEqual([rows, head.seq, problems], [3, 3, []])

    await tamper()
    const text = await trail('verify')
    assert.equal(text.code, ExitCode.findings)
    assert.match(text.stdout, /^2\taltered\t/m)
    assert.match(text.stderr, /^error: the trail was changed by other hands/)
    const broken = await trail('verify', '--json')
    assert.equal(broken.code, ExitCode.findings)
    const { error, ...verdict } = broken.json() as {
      error: { code: string }
      problems: { seq: number; kind: string }[]
    }
    assert.equal(error.code, 'trail-broken')
    assert.deepEqual(
      verdict.problems.map(({ seq, kind }) => [seq, kind]),
      [[2, 'altered']],
    )
  })

  it('verify: exit 7 when it could not be checked, never 0', async () => {
    const url = fresh.url.replace(/host=[^&]*/, 'host=%2Fnonexistent')
    const { code } = await runCli(['trail', 'verify'], { env: { CLEVERCTL_DATABASE_URL: url } })
    assert.equal(code, ExitCode.unreachable)
  })

  it('export to stdout or to a file, which verify without a database', async () => {
    const { code, stdout } = await trail('export')
    assert.equal(code, ExitCode.ok)
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { seq: number; details: object })
    assert.deepEqual(
      rows.map(({ seq }) => seq),
      [1, 2, 3],
    )
    assert.deepEqual(rows[1]?.details, { reason: 'a \u009b31m trick' })
    assert.doesNotMatch(stdout, /\u009b/, 'no stored data commands the terminal')

    const file = join(folder, 'trail.ndjson')
    const summary = (await trail('export', '--output', file, '--json')).json()
    assert.equal(readFileSync(file, 'utf8'), stdout)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    const offline = await runCli(['trail', 'verify', '--file', file, '--json'])
    assert.equal(offline.code, ExitCode.ok)
    const { rows: count, head } = offline.json() as { rows: number; head: object }
    assert.deepEqual(summary, { rows: count, head, file })

    assert.equal((await trail('export', '--output', file)).code, ExitCode.conflict)
    writeFileSync(file, stdout.replace('CDX-000123', 'CDX-000124'))
    assert.equal((await runCli(['trail', 'verify', '--file', file])).code, ExitCode.findings)
  })

  it('export --json alone is refused: rows and one document cannot share stdout', async () => {
    const { code, json } = await trail('export', '--json')
    assert.equal(code, ExitCode.usage)
    assert.equal((json() as { error: { code: string } }).error.code, 'output-needed')
  })

  it('export many rows to a reader that is slow, and stop when it goes away', async () => {
    await fresh.database.query(
      `do $$ begin for i in 1..3000 loop
        perform cleverctl.trail_append('change', 'test.write', i::text, 'engineer', 'desk', null,
          jsonb_build_object('padding', repeat('x', 400)));
      end loop; end $$`,
    )
    let length = 0
    const { code } = await runCli(['trail', 'export'], {
      env: { CLEVERCTL_DATABASE_URL: fresh.url },
      onStart: (child) => {
        child.stdout?.pause()
        setTimeout(() => child.stdout?.resume(), 500)
        child.stdout?.on('data', (chunk: Buffer) => (length += chunk.length))
      },
    })
    assert.equal(code, ExitCode.ok)
    assert.ok(length > 3000 * 400)
    const gone = await runCli(['trail', 'export'], {
      env: { CLEVERCTL_DATABASE_URL: fresh.url },
      onStart: (child) => child.stdout?.once('data', () => child.stdout?.destroy()),
    })
    assert.equal(gone.code, ExitCode.ok)
    assert.equal(gone.stderr, '')
  })
})
