import assert from 'node:assert/strict'
import pg from 'pg'
import { systemClock } from '../../src/lib/clock.js'
import { sqlStateOf } from '../../src/lib/database/sqlstate.js'
import { ConflictError, RefusedError } from '../../src/lib/errors.js'
import { retainReadings } from '../../src/lib/gate/retention/retain.js'
import type { Retention } from '../../src/lib/gate/retention/types.js'
import { monthStart } from '../../src/lib/months.js'
import { verifyTrail } from '../../src/lib/trail/verify.js'
import { testWorkspace, type FreshDatabase } from '../support/database.js'
import { until } from '../support/until.js'
import { type TestGate } from '../support/gate.js'
import { type TestPlant } from '../support/plant.js'
import { withGate } from '../support/gate-suite.js'
import { roleDatabase } from '../support/roles.js'

/** As its table is called. */
const nextMonth = () => monthStart(new Date(), 1).toISOString().slice(0, 7).replace('-', '_')

const KEEP = { keepMonths: 24, drop: false, apply: true }

describe('gate retention', () => {
  let fresh: FreshDatabase
  let plant: TestPlant
  let gate: TestGate
  let blocker: pg.Client

  // Before the database goes, which would break its connection.
  after(async () => {
    await blocker?.end()
  })
  withGate(async (up) => {
    ;({ fresh, plant, gate } = up)
    blocker = new pg.Client({ connectionString: fresh.url, ssl: false })
    await blocker.connect()
  })

  const query = <Row extends pg.QueryResultRow>(text: string, values?: unknown[]) =>
    fresh.database.query<Row>(text, values)

  /** Makes the table of a month long ago, with readings. */
  const addMonth = async (month: string, rows = 3) => {
    const name = `cleverctl.reading_${month.replace('-', '_')}`
    const start = `${month}-01T00:00:00Z`
    const { rows: ends } = await query<{ end: string }>(
      `select to_char(timezone('UTC', $1::timestamptz) + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00' as end`,
      [start],
    )
    await query(
      `create table ${name} partition of cleverctl.reading for values from ('${start}') to ('${ends[0]?.end}')`,
    )
    await query(
      `insert into cleverctl.reading (device_id, installation_id, at, "values")
       select 1, 1, $1::timestamptz + number * interval '1 hour', '{"a": 1}' from generate_series(1, $2) as number`,
      [start, rows],
    )
    await query(`analyze ${name}`)
    return name
  }

  const retain = (changes: Partial<typeof KEEP> = {}) =>
    retainReadings(testWorkspace(fresh.database, { clock: systemClock }), { ...KEEP, ...changes })

  const shown = ({ months }: Retention, month: string) => {
    const found = months.find((each) => each.month === month)
    return found && [found.state, found.outcome, found.rows]
  }

  const count = async (table: string) => {
    const { rows } = await query<{ count: string }>(`select count(*) from ${table}`)
    return Number(rows[0]?.count)
  }

  const trail = async (month: string) => {
    const { rows } = await query<{ action: string; phase: string }>(
      'select action, phase from cleverctl.trail where subject = $1 order by seq',
      [month],
    )
    return rows.map(({ action, phase }) => `${action} ${phase}`)
  }

  it('shows what would go and changes nothing', async () => {
    const table = await addMonth('2019-01')
    const plan = await retain({ apply: false })
    assert.deepEqual(shown(plan, '2019-01'), ['attached', 'planned', 3])
    assert.equal(plan.applied, false)
    assert.equal(plan.months.filter(({ action }) => action !== 'keep').length, 1)
    assert.deepEqual(await trail('2019-01'), [])
    assert.equal(await count('cleverctl.reading'), await count(table))
  })

  it('detaches the old months, leaves the others, and has nothing to do when given again', async () => {
    const table = await addMonth('2019-02')
    const before = await count(table)
    const done = await retain()
    assert.deepEqual(shown(done, '2019-02'), ['detached', 'detached', 3])
    assert.equal(await count(table), before, 'the readings are there, beside')
    assert.equal(await count('cleverctl.reading'), 0)
    assert.deepEqual(await trail('2019-02'), [
      'gate.detach-readings intent',
      'gate.detach-readings outcome',
    ])
    const again = await retain()
    assert.deepEqual(shown(again, '2019-02'), ['detached', 'kept', 3])
    assert.equal((await trail('2019-02')).length, 2)
    assert.ok(again.ahead.every(({ outcome }) => outcome === 'present'))
  })

  it('makes the tables of this month and the next where they are missing', async () => {
    await query(`drop table if exists cleverctl.reading_${nextMonth()}`)
    const plan = await retain({ apply: false })
    assert.deepEqual(
      plan.ahead.map(({ outcome }) => outcome),
      ['present', 'missing'],
    )
    const done = await retain()
    assert.deepEqual(
      done.ahead.map(({ outcome }) => outcome),
      ['present', 'made'],
    )
  })

  it('makes room for a month while somebody reads, and no gate waits for it', async () => {
    const device = await plant.addDevice('CDX-000122', plant.installation)
    const sender = { apiKey: plant.apiKey, token: plant.token(device.serial) }
    await query(`drop table cleverctl.reading_${nextMonth()}`)
    await blocker.query('begin; select count(*) from cleverctl.reading')
    try {
      assert.deepEqual(
        (await retain()).ahead.map(({ outcome }) => outcome),
        ['present', 'made'],
      )
      const answer = await gate.client.post(sender, [
        { at: new Date().toISOString(), values: { a: 1 } },
      ])
      assert.equal(answer.status, 202)
    } finally {
      await blocker.query('commit')
    }
    const { rows } = await query<{ name: string }>(
      `select indexdef as name from pg_indexes where tablename in ($1, $2) order by 1`,
      [`reading_${nextMonth()}`, 'reading_2019_02'],
    )
    assert.equal(rows.length, 4, 'with the indexes of the others')
    await query('delete from cleverctl.reading')
  })

  it('does not begin a month anew beside the one that was taken out', async () => {
    const { rows } = await query<{ name: string }>(
      `select cleverctl.reading_ensure_partition(now() - interval '6 months') as name`,
    )
    const table = `cleverctl.${rows[0]?.name}`
    await query(`alter table cleverctl.reading detach partition ${table}`)
    await assert.rejects(
      query(`select cleverctl.reading_ensure_partition(now() - interval '6 months')`),
      (error) => sqlStateOf(error) === '55000',
    )
    await query(`drop table ${table}`)
  })

  it('drops what goes and what was detached before, with the trail in the same transaction', async () => {
    await addMonth('2019-03')
    const done = await retain({ drop: true })
    assert.deepEqual(shown(done, '2019-03'), ['detached', 'dropped', 3])
    assert.deepEqual(shown(done, '2019-02'), ['detached', 'dropped', 3])
    assert.deepEqual(await trail('2019-02'), [
      'gate.detach-readings intent',
      'gate.detach-readings outcome',
      'gate.drop-readings change',
    ])
    assert.equal(shown(await retain(), '2019-03'), undefined)
    const verified = await verifyTrail(testWorkspace(fresh.database))
    assert.deepEqual(verified.problems, [])
  })

  it('makes nobody wait: gates go on storing while a reader holds the detachment up', async () => {
    const device = await plant.addDevice('CDX-000123', plant.installation)
    const sender = { apiKey: plant.apiKey, token: plant.token(device.serial) }
    const table = await addMonth('2019-04')
    const begin = Date.now() - 3_600_000
    let sent = 0
    let isOver = false
    const refused: number[] = []
    const acknowledged = new Set<number>()
    const logger = async () => {
      while (!isOver) {
        const number = (sent += 1)
        const readings = [{ at: new Date(begin + number).toISOString(), values: { number } }]
        const { status } = await gate.client.post(sender, readings)
        if (status === 202) acknowledged.add(number)
        else refused.push(status)
      }
    }
    const posting = [logger(), logger(), logger()]
    await blocker.query('begin; select count(*) from cleverctl.reading')
    const retaining = retain()
    await until(async () => {
      const { rows } = await query('select from pg_inherits where inhdetachpending')
      return rows.length === 1
    })
    const held = acknowledged.size
    await until(() => acknowledged.size > held + 50, 20_000)
    await assert.rejects(
      retain(),
      (error) => error instanceof ConflictError && error.code === 'retention-running',
    )
    await blocker.query('commit')
    assert.deepEqual(shown(await retaining, '2019-04'), ['detached', 'detached', 3])
    const finished = acknowledged.size
    await until(() => acknowledged.size > finished + 50, 20_000)
    isOver = true
    await Promise.all(posting)
    assert.deepEqual(refused, [])
    const { rows } = await query<{ number: number }>(
      `select ("values"->>'number')::int as number from cleverctl.reading where device_id = $1`,
      [device.id],
    )
    assert.equal(rows.length, acknowledged.size)
    assert.deepEqual(new Set(rows.map(({ number }) => number)), acknowledged)
    assert.equal(await count(table), 3)
  })

  it('refuses readings of a month that is gone before they could be acknowledged', async () => {
    const device = await plant.addDevice('CDX-000124', plant.installation)
    const sender = { apiKey: plant.apiKey, token: plant.token(device.serial) }
    const answer = await gate.client.post(sender, [
      { at: '2019-04-02T00:00:00Z', values: { a: 1 } },
    ])
    assert.equal(answer.status, 400)
    assert.match(String(answer.body['message']), /more than 400 days/)
  })

  it('leaves a detachment that was cut off to the same command', async () => {
    const table = await addMonth('2019-05')
    await blocker.query('begin; select count(*) from cleverctl.reading')
    const cut = retain()
    await until(async () => {
      const { rows } = await query<{ pid: number }>(
        `select pid from pg_stat_activity where query like '%concurrently' and datname = current_database()
           and exists (select from pg_inherits where inhdetachpending)`,
      )
      if (rows[0]) await query('select pg_terminate_backend($1)', [rows[0].pid])
      return rows.length > 0
    })
    await assert.rejects(cut)
    const plan = await retain({ apply: false })
    assert.deepEqual(shown(plan, '2019-05'), ['detaching', 'planned', 3])
    await blocker.query('commit')
    assert.deepEqual(shown(await retain(), '2019-05'), ['detached', 'detached', 3])
    assert.equal(await count(table), 3)
    assert.deepEqual(await trail('2019-05'), [
      'gate.detach-readings intent',
      'gate.detach-readings intent',
      'gate.detach-readings outcome',
    ])
  })

  it('does nothing beside a default partition, and names it', async () => {
    await query('create table cleverctl.leftover partition of cleverctl.reading default')
    await assert.rejects(
      retain(),
      (error) => error instanceof ConflictError && /cleverctl\.leftover/.test(error.message),
    )
    await query('drop table cleverctl.leftover')
  })

  it('shows every member of staff and every auditor the months, and lets neither take them out', async () => {
    await addMonth('2019-06')
    for (const group of ['cleverctl_staff', 'cleverctl_auditor'] as const) {
      const login = await roleDatabase(fresh, group)
      try {
        const workspace = testWorkspace(login.database, { clock: systemClock })
        const plan = await retainReadings(workspace, { ...KEEP, apply: false })
        assert.deepEqual(shown(plan, '2019-06'), ['attached', 'planned', 3])
        await assert.rejects(
          retainReadings(workspace, { ...KEEP, drop: true }),
          (error) => error instanceof RefusedError && /only the owner/.test(error.message),
        )
      } finally {
        await login.close()
      }
    }
    assert.deepEqual(shown(await retain({ apply: false }), '2019-06'), ['attached', 'planned', 3])
  })
})
