import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import {
  CancelledError,
  ConflictError,
  RefusedError,
  UnreachableError,
} from '../../src/lib/errors.js'
import { isSqlState, SqlState } from '../../src/lib/database/sqlstate.js'
import { freshDatabase, openUrl } from '../support/database.js'
import type { FreshDatabase } from '../support/database.js'
import { until } from '../support/until.js'

const SENTINEL = 'sentinel-value-of-a-row'

describe('a database', () => {
  let fresh: FreshDatabase

  beforeEach(async () => {
    fresh = await freshDatabase()
  })
  afterEach(async () => {
    await fresh.drop()
  })

  it('commits what a transaction returns', async () => {
    const { database } = fresh
    await database.query('create table public.note (text text)')
    const result = await database.transaction(async (transaction) => {
      await transaction.query('insert into public.note values ($1)', ['kept'])
      return 7
    })
    assert.equal(result, 7)
    assert.equal((await database.query('select from public.note')).rowCount, 1)
  })

  it('rolls back a transaction that throws, and passes the error on', async () => {
    const { database } = fresh
    await database.query('create table public.note (text text)')
    const reason = new ConflictError('reason', 'a reason')
    const work = database.transaction(async (transaction) => {
      await transaction.query('insert into public.note values ($1)', ['lost'])
      throw reason
    })
    await assert.rejects(work, (error) => error === reason)
    assert.equal((await database.query('select from public.note')).rowCount, 0)
  })

  it('does not take a transaction for committed that went on after a failed statement', async () => {
    const work = fresh.database.transaction(async (transaction) => {
      await transaction.query('select 1 / 0').catch(() => undefined)
    })
    await assert.rejects(work)
  })

  /** Statements whose errors would show a row or a value, and the SQLSTATE by which callers know them. */
  const REVEALING: [name: string, statement: string, values: string[], SqlState][] = [
    [
      'a duplicate',
      'insert into public.secret (value) values ($1), ($1)',
      [SENTINEL],
      SqlState.UNIQUE_VIOLATION,
    ],
    [
      'a missing value',
      'insert into public.secret (value, must) values ($1, null)',
      [SENTINEL],
      SqlState.NOT_NULL_VIOLATION,
    ],
    [
      'a broken check',
      'insert into public.secret (value, checked) values ($1, 7)',
      [SENTINEL],
      SqlState.CHECK_VIOLATION,
    ],
    [
      'a value that is no number',
      'select $1::int',
      [SENTINEL],
      SqlState.INVALID_TEXT_REPRESENTATION,
    ],
    [
      'a missing parent',
      'insert into public.child values ($1)',
      [SENTINEL],
      SqlState.FOREIGN_KEY_VIOLATION,
    ],
  ]
  for (const [name, statement, values, code] of REVEALING) {
    for (const way of ['query', 'transaction', 'connection'] as const) {
      it(`says nothing of the row when ${name} is refused in a ${way}`, async () => {
        const { database } = fresh
        await database.query(
          `create table public.secret (value text unique, must int not null default 1, checked int default 1 check (checked = 1));
           create table public.child (value text references public.secret (value))`,
        )
        const work = {
          query: () => database.query(statement, values),
          transaction: () =>
            database.transaction((transaction) => transaction.query(statement, values)),
          connection: () => database.connection((client) => client.query(statement, values)),
        }[way]
        await assert.rejects(work, (error) => {
          assert.ok(isSqlState(error, code))
          assert.equal(inspect(error, { depth: 9, showHidden: true }).includes(SENTINEL), false)
          return true
        })
      })
    }
  }

  it('names the constraint that was broken', async () => {
    await fresh.database.query('create table public.secret (value text constraint one_each unique)')
    await assert.rejects(
      fresh.database.query('insert into public.secret values ($1), ($1)', [SENTINEL]),
      (error) => error instanceof Error && 'constraint' in error && error.constraint === 'one_each',
    )
  })

  it('is refused, naming role and table, when the role lacks a right', async () => {
    const { database } = fresh
    await assert.rejects(
      database.transaction(async (transaction) => {
        await transaction.query('set local role cleverctl_auditor')
        await transaction.query('select secret_sha256 from cleverctl.device')
      }),
      (error) =>
        error instanceof RefusedError &&
        /device/.test(error.message) &&
        isSqlState(error, SqlState.INSUFFICIENT_PRIVILEGE),
    )
  })

  it('tells a lock that is held by another command from other failures', async () => {
    const { database } = fresh
    await database.query('create table public.note (text text)')
    await database.transaction(async (holder) => {
      await holder.query('lock table public.note')
      await assert.rejects(
        database.transaction(async (other) => {
          await other.query(`set local lock_timeout = '50ms'`)
          await other.query('select from public.note')
        }),
        (error) => error instanceof ConflictError && error.code === 'locked',
      )
    })
  })

  it('survives the end of its idle connections', async () => {
    const { database } = fresh
    await Promise.all([1, 2, 3].map(() => database.query('select pg_sleep(0.05)')))
    await endOthers(fresh)
    await until(async () => (await database.query('select 1').catch(() => undefined)) !== undefined)
  })

  it('survives the end of a lent connection, which its user is told', async () => {
    const { database } = fresh
    const work = database.connection(async (client) => {
      await endOthers(fresh)
      await until(() =>
        client.query('select 1').then(
          () => false,
          () => true,
        ),
      )
      await client.query('select 1')
    })
    await assert.rejects(work, (error) => error instanceof UnreachableError)
    assert.equal((await database.query('select 1 as one')).rowCount, 1)
  })

  it('survives the end of a connection that only listens', async () => {
    const { database } = fresh
    const work = database.connection(async (client) => {
      await client.query('listen something')
      const closed = new Promise((resolve) => client.once('end', resolve))
      await endOthers(fresh)
      await closed
    })
    await work
    assert.equal((await database.query('select 1 as one')).rowCount, 1)
  })

  it('says that all connections are in use instead of waiting for ever', async () => {
    const database = await openUrl(`${fresh.url}&connect_timeout=2`)
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    const holders = [1, 2, 3, 4, 5].map(() => database.connection(() => held))
    await until(() =>
      database.query('select 1').then(
        () => false,
        (error: unknown) => error instanceof UnreachableError && error.code === 'database-busy',
      ),
    )
    release()
    await Promise.all(holders)
    await database.close()
  })

  it('lets statements stand in line where a command does more at a time than it has connections', async () => {
    const url = `${fresh.url}&connect_timeout=2`
    const database = await openUrl(url, { maxConnections: 1, atOnce: 1 })
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    const holder = database.transaction(() => held)
    const waiting = [1, 2, 3].map(() => database.query('select 1 as one'))
    // Longer than the wait for a server.
    await sleep(3000)
    release()
    await holder
    for (const { rowCount } of await Promise.all(waiting)) assert.equal(rowCount, 1)
    await database.close()
  })

  it('keeps no statement in line behind a connection that is lent for longer', async () => {
    const database = await openUrl(fresh.url, { maxConnections: 2, atOnce: 1 })
    const { rowCount } = await database.connection(() => database.query('select 1 as one'))
    assert.equal(rowCount, 1)
    await database.close()
  })

  it('stops a running statement when the user asks to stop, and goes on taking others', async () => {
    const controller = new AbortController()
    const database = await openUrl(fresh.url, { signal: controller.signal })
    const work = database.transaction((transaction) => transaction.query('select pg_sleep(30)'))
    setTimeout(() => controller.abort(new CancelledError('SIGTERM')), 100)
    await assert.rejects(work, (error) => error instanceof CancelledError && error.exitCode === 143)
    assert.equal((await database.query('select 1 as one')).rowCount, 1)
    await database.close()
  })

  it('works in UTC and compiles no statements, whatever the server is set to', async () => {
    await fresh.database.query(
      `do $$ begin
         execute format('alter database %I set timezone = %L', current_database(), 'Asia/Kathmandu');
         execute format('alter database %I set jit = on', current_database());
       end $$`,
    )
    const database = await openUrl(fresh.url)
    const { rows } = await database.query(
      `select current_setting('timezone') as zone, current_setting('jit') as jit`,
    )
    assert.deepEqual(rows, [{ zone: 'UTC', jit: 'off' }])
    await database.close()
  })
})

/** Ends every other connection to the test's database, as an administrator or a failing server would. */
async function endOthers({ url }: FreshDatabase): Promise<void> {
  const database = await openUrl(url)
  await database.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  )
  await database.close()
}
