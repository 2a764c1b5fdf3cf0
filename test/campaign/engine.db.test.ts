import assert from 'node:assert/strict'
import { carryOn, carryOut } from '../../src/lib/campaign/carry-out.js'
import { abortCampaign, pauseCampaign } from '../../src/lib/campaign/change.js'
import { parseLimit } from '../../src/lib/campaign/limit.js'
import { listCampaigns } from '../../src/lib/campaign/list.js'
import type { Operation, Operations, Outcome } from '../../src/lib/campaign/operation.js'
import { withPresence } from '../../src/lib/campaign/presence.js'
import { reportCampaign } from '../../src/lib/campaign/report.js'
import { planCampaign, startCampaign, type CampaignOrder } from '../../src/lib/campaign/start.js'
import { claimTargets } from '../../src/lib/campaign/claim-store.js'
import type { CampaignReport, Pace, Waiting } from '../../src/lib/campaign/types.js'
import { parseWaves } from '../../src/lib/campaign/waves.js'
import { parseWindow } from '../../src/lib/campaign/window.js'
import {
  CancelledError,
  ConflictError,
  ExpectedError,
  FailureError,
  NotFoundError,
  PartialError,
  UsageError,
} from '../../src/lib/errors.js'
import { verifyTrail } from '../../src/lib/trail/verify.js'
import type { Workspace } from '../../src/lib/workspace.js'
import {
  freshDatabase,
  openUrl,
  testClock,
  testWorkspace,
  type FreshDatabase,
  type TestClock,
} from '../support/database.js'
import { until } from '../support/until.js'
import { roleDatabase } from '../support/roles.js'

const PACE: Pace = {
  waves: parseWaves('100%'),
  maxFailures: parseLimit('100%'),
  maxRefusals: null,
  wavePauseMs: 0,
  jitterMs: 0,
  window: null,
}

/** A door that work waits at until the test opens it. */
class Door {
  readonly waiting = new Set<string>()
  #open: (() => void) | undefined
  #opened = new Promise<void>((resolve) => (this.#open = resolve))

  async pass(name: string): Promise<void> {
    this.waiting.add(name)
    await this.#opened
  }

  open(): void {
    this.#open?.()
  }
}

describe('the engine of campaigns', () => {
  let fresh: FreshDatabase
  let clock: TestClock
  let workspace: Workspace
  /** What the operation does to a target, where it does not simply succeed. */
  let behaviour: (target: string) => Promise<Outcome | undefined>

  /** Paints installations: one row each time, in the transaction that records the outcome. */
  const paint: Operation = {
    name: 'test paint',
    prepare: async () => undefined,
    perform: async (_workspace, target, { settle, campaign }) =>
      settle(async (transaction) => {
        const outcome = await behaviour(target)
        if (outcome !== undefined) return outcome
        await transaction.query('insert into public.painted (target, campaign) values ($1, $2)', [
          target,
          campaign,
        ])
        return { state: 'done' }
      }),
    nextStep: (target) => `paint ${target} by hand`,
  }
  const operations: Operations = { [paint.name]: paint }

  before(async () => {
    fresh = await freshDatabase()
    await fresh.database.query(`
      create table public.painted (target text not null, campaign bigint not null);
      insert into cleverctl.installation (code, name, timezone, latitude, longitude)
      select 'site-' || lpad(n::text, 3, '0'), 'Site', 'Europe/Madrid', 36.84, -2.46
      from generate_series(1, 100) as n`)
  })
  after(() => fresh?.drop())

  beforeEach(async () => {
    clock = testClock('2026-06-01T12:00:00Z')
    workspace = testWorkspace(fresh.database, { clock })
    behaviour = async () => undefined
    await fresh.database.query(
      'truncate public.painted, cleverctl.campaign_target, cleverctl.refusal; delete from cleverctl.campaign',
    )
  })

  function orderOf(count: number, pace: Partial<Pace> = {}, from = 1): CampaignOrder {
    return {
      operation: paint.name,
      parameters: { colour: 'white' },
      pace: { ...PACE, ...pace },
      selection: {
        text: `select code as target, id as installation_id, code as rank from cleverctl.installation
          where code between $1 and $2`,
        values: [siteOf(from), siteOf(from + count - 1)],
      },
      choice: `${from} to ${from + count - 1}`,
      isDetached: false,
    }
  }

  const siteOf = (number: number) => `site-${String(number).padStart(3, '0')}`

  const run = (order: CampaignOrder, given: { concurrency?: number; as?: Workspace } = {}) =>
    carryOut(given.as ?? workspace, operations, { order, concurrency: given.concurrency ?? 4 })

  const resume = (id: string, given: { as?: Workspace; retriesFailed?: boolean } = {}) =>
    carryOn(given.as ?? workspace, operations, {
      id,
      isDetached: false,
      retriesFailed: given.retriesFailed ?? false,
      concurrency: 4,
    })

  async function painted(): Promise<string[]> {
    const { rows } = await fresh.database.query<{ target: string }>(
      'select target from public.painted order by target',
    )
    return rows.map(({ target }) => target)
  }

  async function actions(): Promise<string[]> {
    const { rows } = await fresh.database.query<{ action: string }>(
      `select action from cleverctl.trail
       where subject in (select 'campaign ' || id from cleverctl.campaign) order by seq`,
    )
    return rows.map(({ action }) => action)
  }

  const idOf = async () =>
    (await listCampaigns(workspace, { limit: 1, cursor: undefined })).campaigns[0]?.id ?? ''

  /** What an unfinished run threw, with the report in it. */
  async function failure(
    work: Promise<CampaignReport>,
  ): Promise<{ error: ExpectedError; report: CampaignReport }> {
    const error = await work.then(
      () => assert.fail('it succeeded'),
      (reason: unknown) => reason,
    )
    assert.ok(error instanceof ExpectedError, String(error))
    return { error, report: error.result as CampaignReport }
  }

  it('does every target once, wave after wave, and records it', async () => {
    const begun: string[] = []
    behaviour = async (target) => void begun.push(target)
    const report = await run(orderOf(40, { waves: parseWaves('1,10%,100%') }))
    assert.equal(report.state, 'done')
    assert.deepEqual(
      report.waves.map(({ targets, done, first }) => [targets, done, first]),
      [
        [1, 1, 'site-001'],
        [3, 3, 'site-002'],
        [36, 36, 'site-005'],
      ],
    )
    assert.equal(begun[0], 'site-001')
    assert.deepEqual(new Set(begun.slice(1, 4)), new Set(['site-002', 'site-003', 'site-004']))
    assert.equal((await painted()).length, 40)
    assert.deepEqual(await actions(), ['campaign.start', 'campaign.finish'])
    assert.equal((await verifyTrail(workspace)).problems.length, 0)
  })

  it('plans in the shape of a report, and writes nothing', async () => {
    const plan = await planCampaign(
      workspace,
      operations,
      orderOf(40, { waves: parseWaves('1,100%') }),
    )
    assert.equal(plan.state, 'planned')
    assert.equal(await idOf(), '')
    const report = await run(orderOf(40, { waves: parseWaves('1,100%') }))
    assert.deepEqual(Object.keys(plan), Object.keys(report))
    assert.deepEqual(
      plan.waves.map(({ wave, targets, first }) => ({ wave, targets, first })),
      report.waves.map(({ wave, targets, first }) => ({ wave, targets, first })),
    )
  })

  it('makes no campaign of nothing', async () => {
    const report = await run(orderOf(0))
    assert.deepEqual([report.id, report.state, report.targets], [null, 'done', 0])
    assert.equal(await idOf(), '')
  })

  it('names what failed with the next step, and does the others', async () => {
    behaviour = async (target) => {
      if (target === 'site-002') throw new FailureError('no-ladder', 'there is no ladder')
      if (target === 'site-003') throw new Error('secret: hunter2')
      return target === 'site-004' ? { state: 'unchanged' } : undefined
    }
    const { error, report } = await failure(run(orderOf(6)))
    assert.ok(error instanceof PartialError)
    assert.equal(error.message, '2 of 6 targets failed')
    assert.deepEqual(report.failed, [
      {
        target: 'site-002',
        code: 'no-ladder',
        message: 'there is no ladder',
        attempts: 1,
        next: 'paint site-002 by hand',
      },
      {
        target: 'site-003',
        code: 'bug',
        message: 'unexpected fault in cleverctl',
        attempts: 1,
        next: 'paint site-003 by hand',
      },
    ])
    assert.deepEqual([report.counts.done, report.counts.unchanged], [3, 1])
    behaviour = async () => undefined
    const retried = await resume(report.id ?? '', { retriesFailed: true })
    assert.deepEqual([retried.state, retried.counts.done, retried.counts.failed], ['done', 5, 0])
    assert.deepEqual(await painted(), [1, 2, 3, 5, 6].map(siteOf))
  })

  it('stops by its rule: what runs is finished, nothing new starts, and a person lets it go on', async () => {
    behaviour = async (target) => {
      if (target === 'site-001') throw new FailureError('no-ladder', 'there is no ladder')
      return undefined
    }
    const order = orderOf(20, { waves: parseWaves('1,100%'), maxFailures: parseLimit('2%') })
    const { error, report } = await failure(run(order))
    assert.ok(error instanceof PartialError)
    assert.equal(error.code, 'campaign-stopped')
    assert.deepEqual(
      [report.state, report.counts.failed, report.counts.waiting],
      ['stopped', 1, 19],
    )
    assert.equal(report.waitsFor?.what, 'stop-rule')
    const again = await failure(run(order))
    assert.equal(
      again.error.code,
      'campaign-stopped',
      'the same command does not override a person',
    )
    assert.deepEqual(await painted(), [])
    const { error: left } = await failure(resume(report.id ?? ''))
    assert.equal(left.code, 'targets-failed')
    assert.equal((await painted()).length, 19)
    assert.deepEqual(await actions(), [
      'campaign.start',
      'campaign.stop',
      'campaign.resume',
      'campaign.finish',
    ])
  })

  it('stops when the gate refuses more than before at targets that are done', async () => {
    const refuse = (sites: string, hour: string, count: number) =>
      fresh.database.query(
        `insert into cleverctl.refusal (hour, code, requirement, route, installation_id, count, first_at, last_at, last_request_id)
         select $2, 'K_UNKNOWN', 1, '/v1/data', id, $3, $2, $2, 'r' from cleverctl.installation where code = any($1::text[])`,
        [sites.split(' '), hour, count],
      )
    const order = orderOf(6, {
      waves: parseWaves('2,100%'),
      maxRefusals: parseLimit('50%'),
      wavePauseMs: 3_600_000,
    })
    // site-001 is refused as much as ever, site-002 was already so in this hour.
    for (let hour = 12; hour < 36; hour += 1)
      await refuse('site-001', new Date(Date.UTC(2026, 4, 31, hour)).toISOString(), 40)
    await refuse('site-002', '2026-06-01T12:00:00Z', 500)
    const running = run(order)
    running.catch(() => undefined)
    const id = await untilId()
    await untilWaits(id, 'wave-pause')
    assert.equal((await painted()).length, 2)
    await refuse('site-001', '2026-06-01T13:00:00Z', 40)
    clock.set('2026-06-01T13:10:00Z')
    await wake()
    await Promise.race([running, until(async () => (await painted()).length === 6)])
    assert.equal((await running).state, 'done')
    // The same with a rise at both.
    await fresh.database.query('truncate public.painted')
    clock.set('2026-06-02T12:00:00Z')
    const second = run(orderOf(6, { ...order.pace, maxRefusals: parseLimit('60%') }))
    second.catch(() => undefined)
    await until(async () => (await idOf()) > id)
    await untilWaits(await idOf(), 'wave-pause')
    await refuse('site-001 site-002', '2026-06-02T12:00:00Z', 500)
    clock.set('2026-06-02T12:20:00Z')
    await wake()
    const { error } = await failure(second)
    assert.equal(error.code, 'campaign-stopped')
    assert.match(error.message, /refusals at the gate rose at 2 of 2 targets/)
    assert.equal((await painted()).length, 2)
  })

  const wake = () => fresh.database.query(`select pg_notify('cleverctl_campaign', '')`)

  it('two runners at once share the targets and do each once', async () => {
    const counts = [0, 0]
    const other = testWorkspace(await openUrl(fresh.url), { clock })
    try {
      const started = await startCampaign(
        workspace,
        orderOf(60, { waves: parseWaves('5,50%,100%') }),
      )
      const id = started?.campaign.id ?? ''
      const counting = (index: number): Operations => ({
        [paint.name]: {
          ...paint,
          perform: async (...given) => {
            counts[index] = (counts[index] ?? 0) + 1
            return paint.perform(...given)
          },
        },
      })
      const asked = { id, isDetached: false, retriesFailed: false, concurrency: 2 }
      await Promise.all([
        carryOn(workspace, counting(0), asked),
        carryOn(other, counting(1), asked),
      ])
      assert.deepEqual(
        await painted(),
        Array.from({ length: 60 }, (_, index) => siteOf(index + 1)),
      )
      assert.ok(
        counts.every((count) => count > 0),
        counts.join(),
      )
      assert.equal(counts[0]! + counts[1]!, 60)
    } finally {
      await other.database.close()
    }
  })

  it('is paused from elsewhere at once: what runs is finished, the same command does not go on, resume does', async () => {
    const door = new Door()
    behaviour = async (target) => void (await door.pass(target))
    const order = orderOf(10)
    const running = run(order, { concurrency: 2 })
    running.catch(() => undefined)
    await until(() => door.waiting.size === 2)
    const id = await idOf()
    const paused = await pauseCampaign(workspace, operations, { id, reason: 'storm' })
    assert.deepEqual([paused.state, paused.counts.running], ['paused', 2])
    door.open()
    const { error, report } = await failure(running)
    assert.ok(error instanceof ConflictError)
    assert.equal(error.code, 'campaign-paused')
    assert.match(error.message, /by tester@test-host: storm/)
    assert.deepEqual([report.counts.done, report.counts.waiting], [2, 8])
    assert.equal((await failure(run(order))).error.code, 'campaign-paused')
    assert.equal((await resume(id)).state, 'done')
    assert.equal((await painted()).length, 10)
    assert.deepEqual(await actions(), [
      'campaign.start',
      'campaign.pause',
      'campaign.resume',
      'campaign.finish',
    ])
  })

  it('is aborted from elsewhere: the rest is skipped for good and free for others', async () => {
    const door = new Door()
    behaviour = async (target) => void (await door.pass(target))
    const running = run(orderOf(10), { concurrency: 2 })
    running.catch(() => undefined)
    await until(() => door.waiting.size === 2)
    const id = await idOf()
    await abortCampaign(workspace, operations, { id, reason: undefined })
    door.open()
    const { error, report } = await failure(running)
    assert.equal(error.code, 'campaign-aborted')
    assert.deepEqual([report.counts.done, report.counts.skipped], [2, 8])
    assert.equal((await failure(resume(id))).error.code, 'campaign-aborted')
    assert.equal((await run(orderOf(10))).counts.done, 10)
  })

  it('gives the targets of a runner that died back, once its lock is free, and counts what kills them as failed', async () => {
    const started = await startCampaign(workspace, orderOf(6))
    const id = started?.campaign.id ?? ''
    const claim = { campaign: id, now: clock.now(), isDetached: false, limit: 3 }
    await withPresence(workspace, { campaign: id }, async ({ runner }) => {
      await claimTargets(fresh.database, { ...claim, runner })
      await fresh.database.query(
        'update cleverctl.campaign_target set attempt = 5 where campaign_id = $1 and position = 3',
        [id],
      )
      const stop = new AbortController()
      const other = testWorkspace(fresh.database, { clock, signal: stop.signal })
      const resumed = assert.rejects(resume(id, { as: other }), CancelledError)
      await until(async () => (await painted()).length === 3)
      // Time to take what is not free, too.
      setTimeout(() => stop.abort(), 300)
      await resumed
      assert.deepEqual(await painted(), [4, 5, 6].map(siteOf), 'whoever holds a target keeps it')
    })
    const { error, report } = await failure(resume(id))
    assert.equal(error.code, 'targets-failed')
    assert.deepEqual(await painted(), [1, 2, 4, 5, 6].map(siteOf))
    assert.deepEqual(
      report.failed.map(({ target, code, attempts }) => [target, code, attempts]),
      [['site-003', 'runner-lost', 5]],
    )
  })

  it('changes nothing for a runner that does not hold the target any more', async () => {
    // As after a lost connection: somebody else was given the target in the meantime.
    let isTaken = false
    const slow: Operation = {
      ...paint,
      perform: async (given, target, context) => {
        if (!isTaken) {
          isTaken = true
          await fresh.database.query(
            `update cleverctl.campaign_target set runner = 'somebody', attempt = attempt + 1`,
          )
        }
        const outcome = await paint.perform(given, target, context)
        tried.push((await painted()).length)
        return outcome
      },
    }
    const tried: number[] = []
    const report = await carryOut(
      workspace,
      { [slow.name]: slow },
      { order: orderOf(1), concurrency: 1 },
    )
    // Its own attempt came to nothing; the one after "somebody" was found to be gone was the third.
    assert.deepEqual(tried, [1])
    assert.equal(report.counts.done, 1)
    const { rows } = await fresh.database.query('select attempt from cleverctl.campaign_target')
    assert.deepEqual(rows, [{ attempt: 3 }])
  })

  it('finishes what runs when it is asked to end, leaves the rest waiting, and the same command goes on', async () => {
    const door = new Door()
    const stop = new AbortController()
    behaviour = async (target) => void (await door.pass(target))
    const order = orderOf(10)
    const running = run(order, { concurrency: 3, as: { ...workspace, signal: stop.signal } })
    running.catch(() => undefined)
    await until(() => door.waiting.size === 3)
    stop.abort(new CancelledError('SIGTERM'))
    door.open()
    const { error, report } = await failure(running)
    assert.ok(error instanceof CancelledError)
    assert.deepEqual(error.suggestions, [`cleverctl campaign resume ${report.id}`])
    assert.deepEqual([report.state, report.counts.done, report.counts.waiting], ['running', 3, 7])
    assert.equal(report.waitsFor?.what, 'runner')
    assert.equal((await run(order)).id, report.id)
    assert.equal((await painted()).length, 10)
  })

  it('holds its targets against another campaign, and says which one holds them', async () => {
    const door = new Door()
    behaviour = async (target) => void (await door.pass(target))
    const order = orderOf(10)
    const running = run(order, { concurrency: 1 })
    await until(() => door.waiting.size === 1)
    const { error } = await failure(run(orderOf(10, { waves: parseWaves('1,100%') }, 5)))
    assert.ok(error instanceof ConflictError)
    assert.match(error.message, /^6 of the targets, such as site-005, are held by campaign \d+$/)
    assert.equal((await failure(run(order))).error.code, 'campaign-running')
    door.open()
    assert.equal((await running).state, 'done')
    assert.equal((await painted()).length, 10)
  })

  it('starts nothing while the window is closed, and says until when', async () => {
    const said: string[] = []
    const log = { ...workspace.log, info: (message: string) => void said.push(message) }
    const as = { ...workspace, log }
    const running = run(orderOf(5, { window: parseWindow('02:00-05:00') }), { as })
    const id = await untilId()
    await untilWaits(id, 'window')
    await until(() => said.some((message) => message.includes('for its window, 02:00-05:00')))
    const { waitsFor } = await reportCampaign(workspace, operations, id)
    assert.equal(waitsFor?.until, '2026-06-02T00:00:00.000Z')
    assert.deepEqual(await painted(), [])
    clock.set('2026-06-02T00:00:00Z')
    await wake()
    assert.equal((await running).state, 'done')
    assert.equal((await painted()).length, 5)
  })

  it('counts a target as failed whose window nobody can know', async () => {
    const order = orderOf(2, { window: parseWindow('night') })
    const { report } = await failure(
      run({
        ...order,
        selection: {
          text: `select 'nowhere' as target, null::bigint as installation_id, 1 as rank`,
          values: [],
        },
      }),
    )
    assert.deepEqual(
      report.failed.map(({ code }) => code),
      ['window-unknown'],
    )
  })

  it('waits between waves, and spreads starts at random over the jitter', async () => {
    const running = run(
      orderOf(40, { waves: parseWaves('1,100%'), wavePauseMs: 3_600_000, jitterMs: 600_000 }),
    )
    const id = await untilId()
    await untilWaits(id, 'jitter')
    clock.advance(600_000)
    await wake()
    await untilWaits(id, 'wave-pause')
    assert.deepEqual(await painted(), ['site-001'])
    clock.advance(3_600_000)
    await wake()
    await untilWaits(id, 'jitter')
    clock.advance(300_000)
    await wake()
    await until(async () => (await painted()).length > 1)
    const half = (await painted()).length
    assert.ok(half < 40, 'not all in the first half')
    clock.advance(300_000)
    await wake()
    assert.equal((await running).state, 'done')
  })

  async function untilWaits(id: string, what: Waiting['what']): Promise<void> {
    await until(
      async () => (await reportCampaign(workspace, operations, id)).waitsFor?.what === what,
    )
  }

  async function untilId(): Promise<string> {
    await until(async () => (await idOf()) !== '')
    return idOf()
  }

  it('refuses what is no id, and an id that is none', async () => {
    await assert.rejects(reportCampaign(workspace, operations, 'x'), UsageError)
    await assert.rejects(reportCampaign(workspace, operations, '999999'), NotFoundError)
    await assert.rejects(
      pauseCampaign(workspace, operations, { id: '999999', reason: undefined }),
      NotFoundError,
    )
  })

  it('is carried out with the rights of staff', async () => {
    await fresh.database.query('grant insert, select on public.painted to cleverctl_staff')
    const staff = await roleDatabase(fresh, 'cleverctl_staff')
    try {
      const as = testWorkspace(staff.database, { clock })
      const report = await run(orderOf(5, { maxRefusals: parseLimit('5%') }), { as })
      assert.equal(report.counts.done, 5)
      await pauseCampaign(as, operations, { id: report.id ?? '', reason: undefined })
    } finally {
      await staff.close()
    }
  })
})
