import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { runCli } from '../support/cli.js'
import { freshDatabase, type FreshDatabase } from '../support/database.js'
import { until } from '../support/until.js'

interface Shown {
  months: { month: string; state: string; outcome: string }[]
}

describe('gate retention, as a command', () => {
  let fresh: FreshDatabase
  let home: string
  let blocker: pg.Client

  before(async () => {
    fresh = await freshDatabase()
    home = mkdtempSync(join(tmpdir(), 'cctl-retention-'))
    blocker = new pg.Client({ connectionString: fresh.url, ssl: false })
    await blocker.connect()
    for (const [from, to] of [
      ['2019-01', '2019-02'],
      ['2019-02', '2019-03'],
    ]) {
      await fresh.database.query(
        `create table cleverctl.reading_${from?.replace('-', '_')} partition of cleverctl.reading
         for values from ('${from}-01 00:00:00+00') to ('${to}-01 00:00:00+00')`,
      )
    }
    await fresh.database.query(
      `insert into cleverctl.reading (device_id, installation_id, at, "values")
       select 1, 1, '2019-01-15 00:00:00+00'::timestamptz + number * interval '1 month', '{"a": 1}'
       from generate_series(0, 1) as number`,
    )
  })

  after(async () => {
    await blocker?.end()
    await fresh?.drop()
    rmSync(home, { recursive: true, force: true })
  })

  const run = (flags: string[], onStart?: Parameters<typeof runCli>[1]) =>
    runCli(['gate', 'retention', ...flags], {
      home,
      env: { CLEVERCTL_DATABASE_URL: fresh.url },
      ...onStart,
    })

  /** How the two old months stand. */
  const states = async () => {
    const { months } = (await run(['--json'])).json() as Shown
    const old = months.filter(({ month }) => month.startsWith('2019'))
    return Object.fromEntries(old.map(({ month, state }) => [month, state]))
  }

  it('is finished by the same command after a kill in the middle of a detachment', async () => {
    await blocker.query('begin; select count(*) from cleverctl.reading')
    const killed = await run(['--keep', '24mo', '--yes', '--json'], {
      onStart: (child) => {
        void until(async () => {
          const { rows } = await fresh.database.query(
            'select from pg_inherits where inhdetachpending',
          )
          return rows.length > 0
        }, 20_000).finally(() => child.kill('SIGKILL'))
      },
    })
    assert.equal(killed.signal, 'SIGKILL')
    assert.deepEqual(await states(), { '2019-01': 'detaching', '2019-02': 'attached' })
    // The server sees within a second that nobody waits for the detachment any more.
    await until(async () => {
      const { rows } = await fresh.database.query(
        `select from pg_stat_activity where query like '%detach%' and state = 'active'
           and pid <> pg_backend_pid() and datname = current_database()`,
      )
      return rows.length === 0
    }, 10_000)
    assert.deepEqual(await states(), { '2019-01': 'detaching', '2019-02': 'attached' })
    await blocker.query('commit')
    const finished = await run(['--keep', '24mo', '--yes', '--json'])
    assert.equal(finished.code, 0, finished.stderr)
    assert.deepEqual(await states(), { '2019-01': 'detached', '2019-02': 'detached' })
    const { rows } = await fresh.database.query<{ count: string }>(
      'select (select count(*) from cleverctl.reading_2019_01) + (select count(*) from cleverctl.reading_2019_02) as count',
    )
    assert.equal(Number(rows[0]?.count), 2)
  })

  it('wants --keep for everything that changes, and enough of it', async () => {
    for (const flags of [
      ['--yes'],
      ['--drop'],
      ['--keep', '13mo', '--yes'],
      ['--keep', 'forever'],
    ]) {
      const { code, stderr } = await run(flags)
      assert.equal(code, 2, flags.join(' ') + stderr)
    }
  })

  it('says in a pipe what goes, tab-separated, and on a dry run leaves it', async () => {
    const { code, stdout } = await run(['--keep', '24mo', '--drop'])
    assert.equal(code, 0)
    assert.match(
      stdout,
      /^2019-01\tdetached\t(-|\d+)\t\d+ bytes\tto drop\tcleverctl\.reading_2019_01$/m,
    )
    assert.match(stdout, /^next\t/m)
    assert.deepEqual(await states(), { '2019-01': 'detached', '2019-02': 'detached' })
    assert.equal((await run(['--keep', '24mo', '--drop', '--yes'])).code, 0)
    assert.deepEqual(await states(), {})
  })
})
