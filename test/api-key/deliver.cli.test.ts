import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { apiKeyDigest } from '../../src/lib/api-key/format.js'
import { ExitCode } from '../../src/lib/errors.js'
import { runCli, type CliOptions } from '../support/cli.js'
import { freshDatabase, type FreshDatabase } from '../support/database.js'
import { ProcessList } from '../support/process-list.js'

describe('cleverctl api-key --deliver', () => {
  let fresh: FreshDatabase
  let home: string

  before(async () => {
    fresh = await freshDatabase()
    home = mkdtempSync(join(tmpdir(), 'cctl-deliver-'))
    await fresh.database.query(
      `insert into cleverctl.installation (code, name, timezone, latitude, longitude)
       values ('solar-0042', 'Almeria', 'Europe/Madrid', 36.84, -2.46)`,
    )
  })
  after(async () => {
    await fresh.drop()
    rmSync(home, { recursive: true, force: true })
  })

  const path = (name: string) => join(home, name)
  const read = (name: string) => readFileSync(path(name), 'utf8').trim()

  /** Runs `api-key VERB solar-0042` with these sinks. */
  const deliver = (verb: string, sinks: string[], options: CliOptions = {}) =>
    runCli(
      [
        'api-key',
        verb,
        'solar-0042',
        ...sinks.flatMap((sink) => ['--deliver', sink]),
        '--json',
        '--verbose',
      ],
      {
        home,
        cwd: home,
        ...options,
        env: { CLEVERCTL_DATABASE_URL: fresh.url, ...options.env },
      },
    )

  const stateOf = async (text: string) => {
    const { rows } = await fresh.database.query<{ state: string }>(
      'select state from cleverctl.api_key where digest = $1',
      [apiKeyDigest(text)],
    )
    return rows[0]?.state
  }

  it('brings the key where it is used, and it is seen nowhere else', async () => {
    const seen = new ProcessList()
    seen.start()
    const env = { GITHUB_ENV: path('github.env') }
    const command = 'cat >got; cat got; env >child.env; sleep 0.2'
    const sinks = ['file:key', 'dotenv:.env#KEY', 'github-env', `exec:${command}`]
    const { code, stdout, stderr } = await deliver('issue', sinks, { env })
    seen.stop()
    assert.equal(code, ExitCode.ok, stderr)
    const key = read('key')
    assert.equal(await stateOf(key), 'CURRENT')
    assert.equal(read('got'), key)
    assert.equal(read('.env'), `KEY=${key}`)
    assert.match(read('github.env'), /^CLEVERCTL_API_KEY<<end_/)
    for (const name of ['key', '.env']) assert.equal(statSync(path(name)).mode & 0o777, 0o600)
    assert.match(stderr, /exec: \[secret\]/)
    assert.ok(seen.text().includes('sleep 0.2'))
    for (const text of [stdout, stderr, seen.text(), read('child.env')])
      assert.equal(text.includes(key), false)
    const { rows } = await fresh.database.query<{ row: string }>(
      'select trail::text as row from cleverctl.trail',
    )
    for (const { row } of rows) {
      assert.equal(row.includes(key), false)
      assert.equal(row.includes('cat >got'), false)
    }
  })

  it('ends with 3 when a sink fails, and the former key is where it was', async () => {
    const former = read('key')
    const result = await deliver('rotate', ['file:key', 'exec:exit 9'])
    assert.equal(result.code, ExitCode.partial)
    const { error, sinks } = result.json() as { error: { code: string }; sinks: object[] }
    assert.equal(error.code, 'not-delivered')
    assert.equal(sinks.length, 2)
    assert.equal(read('key'), former)
    assert.equal(await stateOf(former), 'CURRENT')
  })

  it('is finished by the same command when it was killed, with the same key', async () => {
    const former = read('key')
    const killed = await deliver('rotate', ['file:key', 'exec:touch begun; sleep 2'], {
      onStart: (child) => {
        const poll = setInterval(() => {
          if (!existsSync(path('begun'))) return
          clearInterval(poll)
          child.kill('SIGKILL')
        }, 10)
      },
    })
    assert.equal(killed.signal, 'SIGKILL')
    const waiting = read('key')
    assert.deepEqual([await stateOf(waiting), await stateOf(former)], ['PENDING', 'CURRENT'])
    // The server notices the lost connection, and lets the lock go, only when it looks at it.
    let again = await deliver('rotate', ['file:key', 'exec:cat >got'])
    while (again.code === ExitCode.conflict)
      again = await deliver('rotate', ['file:key', 'exec:cat >got'])
    assert.equal(again.code, ExitCode.ok, again.stderr)
    assert.equal(read('key'), waiting)
    assert.equal(read('got'), waiting)
    assert.deepEqual([await stateOf(waiting), await stateOf(former)], ['CURRENT', 'GRACE'])
  })

  it('takes back what it has delivered when it is told to stop', async () => {
    const former = read('key')
    rmSync(path('begun'), { force: true })
    const { code } = await deliver('rotate', ['file:key', 'exec:touch begun; sleep 20'], {
      onStart: (child) => {
        const poll = setInterval(() => {
          if (!existsSync(path('begun'))) return
          clearInterval(poll)
          child.kill('SIGTERM')
        }, 10)
      },
    })
    assert.equal(code, ExitCode.terminated)
    assert.equal(read('key'), former)
    assert.equal(await stateOf(former), 'CURRENT')
  })

  it('is refused for what is no sink, and beside other ways out, with nothing made', async () => {
    const count = async () =>
      (await fresh.database.query('select from cleverctl.api_key')).rows.length
    const before = await count()
    for (const sinks of [['nope:x'], ['github-env'], ['dotenv:x']])
      assert.equal((await deliver('rotate', sinks)).code, ExitCode.usage)
    const args = ['api-key', 'rotate', 'solar-0042', '--deliver', 'exec:true', '--output', 'x']
    assert.equal((await runCli(args)).code, ExitCode.usage)
    assert.equal(await count(), before)
  })
})
