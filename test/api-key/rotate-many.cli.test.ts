import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CampaignReport } from '../../src/lib/campaign/types.js'
import { runCli, runCliTty, type CliOptions } from '../support/cli.js'
import { changedTables, contentOf } from '../support/content.js'
import { freshDatabase, type FreshDatabase } from '../support/database.js'
import { homeWorkspace } from '../support/gate.js'
import { until } from '../support/until.js'
import { ensureSigningKeys } from '../../src/lib/signing-key/ensure.js'

/** An API key, wherever it stands. */
const KEY = /clv_(?:live|test)_\w{8}_\w{43}_\w{6}/
const CRON =
  'api-key rotate --all --older-than 90d --grace 24h --require-adoption 100% --hard-deadline 14d --waves 1,1%,10%,100% --max-failures 2%'

describe('a rotation of many keys', () => {
  let fresh: FreshDatabase
  let home: string

  before(async () => {
    fresh = await freshDatabase()
    home = mkdtempSync(join(tmpdir(), 'cctl-many-'))
    await ensureSigningKeys(await homeWorkspace(fresh, home))
    await furnish('solar', 120)
  })
  after(async () => {
    await fresh?.drop()
    rmSync(home, { recursive: true, force: true })
  })

  /** Installations with keys that are a hundred days old, but for every tenth, whose key is of today. */
  async function furnish(prefix: string, count: number): Promise<void> {
    await fresh.database.query(
      `with plant as (
         insert into cleverctl.installation (code, name, timezone, latitude, longitude)
         select $1 || '-' || lpad(n::text, 4, '0'), 'Plant', 'Europe/Madrid', 36.84, -2.46
         from generate_series(1, $2) as n returning id, code
       )
       insert into cleverctl.api_key (key_id, installation_id, version, state, digest, created_at)
       select substr(md5(code), 1, 8), id, 1, 'CURRENT', sha256(code::bytea),
         case when code like '%0' then now() else now() - interval '100 days' end
       from plant`,
      [prefix, count],
    )
  }

  const options = (given: CliOptions = {}): CliOptions => ({
    home,
    ...given,
    env: { CLEVERCTL_DATABASE_URL: fresh.url, ...given.env },
  })
  const run = (line: string, given?: CliOptions) => runCli(line.split(' '), options(given))

  async function report(line: string, code = 0): Promise<CampaignReport> {
    const result = await run(`${line} --json`)
    assert.equal(result.code, code, result.stdout + result.stderr)
    return result.json() as CampaignReport
  }

  const look = (statement: string) => fresh.database.query(statement)

  async function versions(code: string): Promise<string[]> {
    const { rows } = await fresh.database.query<{ text: string }>(
      `select key.version || ' ' || key.state as text from cleverctl.api_key as key
       join cleverctl.installation on installation.id = installation_id where code = $1 order by 1`,
      [code],
    )
    return rows.map(({ text }) => text)
  }

  it('is planned in the same shape, and the plan changes nothing', async () => {
    const before = await contentOf(look)
    const plan = await report(`${CRON} --dry-run`)
    assert.deepEqual(changedTables(before, await contentOf(look)), [])
    assert.deepEqual([plan.id, plan.state, plan.targets], [null, 'planned', 108])
    assert.deepEqual(
      plan.waves.map(({ targets }) => targets),
      [1, 1, 9, 97],
    )
  })

  it('runs from cron as it is written in the manual: no question, no key in what comes out', async () => {
    const result = await run(`${CRON} --json`)
    assert.equal(result.code, 0, result.stderr)
    const made = result.json() as CampaignReport
    assert.deepEqual([made.state, made.counts.done, made.targets], ['done', 108, 108])
    assert.doesNotMatch(result.stdout + result.stderr, KEY)
    assert.deepEqual(await versions('solar-0001'), ['1 GRACE', '2 CURRENT'])
    assert.deepEqual(await versions('solar-0010'), ['1 CURRENT'])
    const again = await report(CRON)
    assert.deepEqual([again.id, again.targets], [null, 0], 'nothing to do')
    assert.deepEqual(await versions('solar-0001'), ['1 GRACE', '2 CURRENT'])
  })

  it('leaves keys alone that are young enough, where they are named', async () => {
    const made = await report('api-key rotate solar-0001 solar-0010 --older-than 90d')
    assert.deepEqual([made.counts.unchanged, made.counts.done], [2, 0])
    assert.equal((await report('api-key rotate solar-0010 --older-than 90d')).counts.unchanged, 1)
  })

  it('does those that are named in their order, and ends with 3 when one fails', async () => {
    await furnish('named', 3)
    await look(`update cleverctl.api_key set state = 'REVOKED', revoked_at = now(), revoke_reason = 'x'
      from cleverctl.installation where installation.id = installation_id and code = 'named-0002'`)
    const line = 'api-key rotate named-0003 named-0002 named-0001 --waves 1,100%'
    const failed = await report(`${line} --max-failures 1`, 3)
    assert.equal(failed.waves[0]?.first, 'named-0003')
    assert.deepEqual(
      failed.failed.map(({ target, code, next }) => [target, code, next]),
      [['named-0002', 'no-current-api-key', 'cleverctl api-key list named-0002']],
    )
    const { stdout, stderr, code } = await run(`campaign show ${failed.id}`)
    assert.equal(code, 0, stderr)
    assert.match(stdout, /named-0002\tno-current-api-key/)
    const retried = await run(`campaign resume ${failed.id} --retry-failed`)
    assert.equal(retried.code, 3)
    assert.match(retried.stderr, /error: 1 of 3 targets failed\nhint: cleverctl campaign show/)
  })

  it('stops by its rule with 3, and goes on when a person says so', async () => {
    await furnish('stop', 9)
    await look(`update cleverctl.installation set retired_at = now() where code = 'stop-0001'`)
    const codes = Array.from({ length: 9 }, (_, index) => `stop-000${index + 1}`).join(' ')
    const line = `api-key rotate ${codes} --waves 1,100%`
    const stopped = await report(line, 3)
    assert.deepEqual([stopped.state, stopped.counts.waiting], ['stopped', 8])
    assert.match(stopped.reason ?? '', /^failures: 1 of 1 in wave 1, more than 2%$/)
    assert.equal((await run(line)).code, 3, 'the same command does not go on by itself')
    const resumed = await report(`campaign resume ${stopped.id}`, 3)
    assert.deepEqual([resumed.state, resumed.counts.done, resumed.counts.failed], ['done', 8, 1])
  })

  it('refuses what makes no sense with 2, and changes nothing', async () => {
    const before = await contentOf(look)
    const cases: [line: string, said: RegExp][] = [
      ['api-key rotate', /missing INSTALLATION/],
      ['api-key rotate solar-0001 --all', /--all and INSTALLATION exclude each other/],
      ['api-key rotate --all --output keys.txt', /--output takes the key of one installation/],
      ['api-key rotate solar-0001 solar-0002 --reveal', /several installations makes a campaign/],
      ['api-key rotate solar-0001 --waves 1 --deliver file:k', /--waves makes a campaign/],
      ['api-key rotate --all --grace 0', /nobody would hold them/],
      ['api-key rotate --all --waves 10%,1%', /waves are growing/],
      ['api-key rotate --all --window noon', /a window is night/],
      ['api-key rotate --all --max-failures lots', /a limit is a share or a number/],
      ['api-key rotate --all --window 02:00-02:30 --jitter 20m', /more than half of the window/],
      ['api-key rotate --all --hard-deadline 14d', /require-adoption/],
    ]
    for (const [line, said] of cases) {
      const { code, stderr } = await run(line)
      assert.equal(code, 2, `${line}: ${stderr}`)
      assert.match(stderr, said)
    }
    const unknown = await run('api-key rotate solar-0001 solar-9999')
    assert.equal(unknown.code, 5)
    assert.match(unknown.stderr, /no installation is called "solar-9999"/)
    assert.deepEqual(changedTables(before, await contentOf(look)), [])
  })

  it('of one installation is what it was: one key, to where it is asked for', async () => {
    const file = join(home, 'key.txt')
    const result = await run(`api-key rotate solar-0003 --output ${file} --json`)
    assert.equal(result.code, 0, result.stderr)
    assert.match(readFileSync(file, 'utf8'), KEY)
    const { installation, grace } = result.json() as { installation: string; grace: unknown[] }
    assert.deepEqual([installation, grace.length], ['solar-0003', 2])
  })

  it('is interrupted with what runs finished, and resumed without doing one twice', async () => {
    await furnish('long', 300)
    const codes = Array.from(
      { length: 300 },
      (_, index) => `long-${String(index + 1).padStart(4, '0')}`,
    )
    for (const [signal, wanted, least] of [
      ['SIGTERM', 143, 10],
      ['SIGINT', 130, 100],
    ] as const) {
      const result = await run(`api-key rotate ${codes.join(' ')} --concurrency 2 --json`, {
        // A second signal would end it at once.
        onStart: (child) => void untilDone('long-%', least).then(() => child.kill(signal)),
      })
      assert.equal(result.code, wanted, result.stderr)
      const { id, counts, error } = result.json() as CampaignReport & {
        error: { suggestions: string[] }
      }
      assert.deepEqual(error.suggestions, [`cleverctl campaign resume ${id}`])
      assert.equal(counts.running, 0)
      assert.ok(counts.waiting > 0)
    }
    const done = await report(`api-key rotate ${codes.join(' ')} --concurrency 2`)
    assert.deepEqual([done.state, done.counts.done], ['done', 300])
    const { rows } = await look(`select count(*)::integer as twice from (
      select from cleverctl.api_key join cleverctl.installation on installation.id = installation_id
      where code like 'long-%' group by code having count(*) <> 2) as wrong`)
    assert.deepEqual(rows, [{ twice: 0 }])
  })

  it('is paused from another terminal: the command ends with 6, and another one is told who holds the plants', async () => {
    await furnish('pause', 20)
    const codes = Array.from(
      { length: 20 },
      (_, index) => `pause-${String(index + 1).padStart(4, '0')}`,
    )
    // It cannot come to its end meanwhile, however fast the machine is.
    const line = `api-key rotate ${codes.join(' ')} --waves 1,100% --wave-pause 1h`
    const running = run(line)
    const id = await startedOn('pause-0001')
    const held = await run('api-key rotate pause-0019 pause-0020')
    assert.equal(held.code, 6)
    assert.match(
      held.stderr,
      new RegExp(`2 of the targets, such as pause-0019, are held by campaign ${id}`),
    )
    const paused = await run(`campaign pause ${id} --reason storm`)
    assert.equal(paused.code, 0, paused.stderr)
    const ended = await running
    assert.equal(ended.code, 6, ended.stdout)
    assert.match(ended.stderr, /was paused \(by .*: storm\) with \d+ targets left/)
    assert.equal((await run(line)).code, 6)
    const shown = await run(`campaign show ${id}`)
    assert.match(shown.stdout, /^waits\tfor a person to resume it, since 2/m)
    const aborted = await report(`campaign abort ${id} --yes`)
    assert.equal(aborted.state, 'aborted')
    assert.equal((await run('api-key rotate pause-0019 pause-0020')).code, 0, 'free again')
  })

  async function untilDone(targets: string, least: number): Promise<void> {
    await until(async () => {
      const { rows } = await fresh.database.query<{ done: number }>(
        `select count(*)::integer as done from cleverctl.campaign_target
         where target like $1 and state = 'done'`,
        [targets],
      )
      return (rows[0]?.done ?? 0) > least
    }, 20_000)
  }

  async function startedOn(target: string): Promise<string> {
    let id: string | undefined
    await until(async () => {
      const { rows } = await fresh.database.query<{ id: string }>(
        `select campaign_id as id from cleverctl.campaign_target where target = $1 and state <> 'waiting'`,
        [target],
      )
      id = rows[0]?.id
      return id !== undefined
    }, 20_000)
    return id ?? ''
  }

  it('asks a person in a terminal how much is meant, and fits into 80 columns', async () => {
    await furnish('tty', 3)
    const words = ['api-key', 'rotate', 'tty-0001', 'tty-0002', '--waves', '1,100%']
    const no = await runCliTty(words, {
      ...options(),
      answers: [{ expect: /Replace the API keys of 2 installations\?/, send: 'n\r' }],
    })
    assert.equal(no.code, 130)
    assert.deepEqual(await versions('tty-0001'), ['1 CURRENT'])
    const yes = await runCliTty(words, {
      ...options(),
      columns: 80,
      answers: [{ expect: /Replace the API keys of 2 installations\?/, send: 'y\r' }],
    })
    assert.equal(yes.code, 0, yes.stdout)
    assert.match(yes.stdout, /WAVE +TARGETS +WAITING/)
    for (const line of yes.stdout.split('\n').filter((text) => !text.includes('?')))
      assert.ok(line.length <= 80, line)
    const list = await runCliTty(['campaign', 'list'], { ...options(), columns: 80 })
    assert.equal(list.code, 0)
    for (const line of list.stdout.split('\n')) assert.ok(line.length <= 80, line)
  })
})
