import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { CampaignReport } from '../../src/lib/campaign/types.js'
import { ensureSigningKeys } from '../../src/lib/signing-key/ensure.js'
import { verifyTrail } from '../../src/lib/trail/verify.js'
import { PROGRAM, runCli } from '../support/cli.js'
import { freshDatabase, type FreshDatabase } from '../support/database.js'
import { homeWorkspace } from '../support/gate.js'
import { until } from '../support/until.js'
import { seeded } from '../support/seeded.js'
import { addPlants } from './plants.js'

/** CLEVERCTL_TEST_CAMPAIGN_TARGETS raises it; 10,000 take some minutes. */
const TARGETS = Number(process.env['CLEVERCTL_TEST_CAMPAIGN_TARGETS'] ?? 300)
/** As often as the number of targets lets a kill come into the middle of the work. */
const KILLS = Math.max(6, Math.round(TARGETS / 200))
const WORKERS = 3

describe('a campaign whose workers are killed', function () {
  this.timeout(600_000 + TARGETS * 200)
  const random = seeded()
  let fresh: FreshDatabase
  let home: string

  before(async () => {
    fresh = await freshDatabase()
    home = mkdtempSync(join(tmpdir(), 'cctl-kill-'))
    await ensureSigningKeys(await homeWorkspace(fresh, home))
  })
  after(async () => {
    await fresh?.drop()
    rmSync(home, { recursive: true, force: true })
  })

  const environment = () => ({
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    CLEVERCTL_HOME: home,
    CLEVERCTL_DATABASE_URL: fresh.url,
  })

  function start(words: readonly string[]): ChildProcess {
    return spawn(process.execPath, [PROGRAM, ...words], { env: environment(), stdio: 'ignore' })
  }

  async function finished(): Promise<number> {
    const { rows } = await fresh.database.query<{ done: number }>(
      `select count(*)::integer as done from cleverctl.campaign_target
       where state in ('done', 'unchanged', 'failed')`,
    )
    return rows[0]?.done ?? 0
  }

  /** Keeps `count` processes running and kills them at random, until there were enough kills or nothing is left. */
  async function massacre(words: readonly string[], count: number): Promise<number> {
    const children = Array.from({ length: count }, () => start(words))
    const began = await finished()
    let kills = 0
    // The first target that is done shows that they are up; each one after a kill has to start first.
    await until(async () => (await finished()) > began, 20_000)
    while (kills < KILLS && (await finished()) < began + TARGETS) {
      await delay(random.below(600))
      const index = random.below(count)
      const victim = children[index]
      if (victim === undefined) continue
      const isUp = victim.exitCode === null && victim.signalCode === null
      victim.kill('SIGKILL')
      if (isUp) kills += 1
      if (victim.exitCode === null && victim.signalCode === null) await once(victim, 'exit')
      children[index] = start(words)
    }
    for (const child of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    }
    return kills
  }

  async function command(words: readonly string[]): Promise<CampaignReport> {
    const result = await runCli([...words, '--json'], {
      home,
      env: { CLEVERCTL_DATABASE_URL: fresh.url },
    })
    assert.ok([0, 3].includes(result.code ?? -1), result.stdout + result.stderr)
    return result.json() as CampaignReport
  }

  /** Every target was done once, or is honestly counted as failed and was not touched. */
  async function assertOnce(prefix: string, id: string, kills: number): Promise<void> {
    const message = `SEED=${random.seed}`
    const { counts, state } = await command(['campaign', 'show', id])
    assert.equal(state, 'done', message)
    assert.equal(counts.done + counts.failed, TARGETS, message)
    const { rows } = await fresh.database.query<{
      state: string
      keys: number
      entries: number
      targets: number
    }>(
      `select target.state, keys.count::integer as keys, entries.count::integer as entries,
         count(*)::integer as targets
       from cleverctl.campaign_target as target
       join lateral (
         select count(*) from cleverctl.api_key as key
         where key.installation_id = target.installation_id) as keys on true
       join lateral (
         select count(*) from cleverctl.trail
         where trail.subject = target.target and trail.action = 'api-key.rotate'
           and trail.details->>'campaign' = target.campaign_id::text) as entries on true
       where target.campaign_id = $1 group by 1, 2, 3 order by 1`,
      [id],
    )
    const once = { state: 'done', keys: 2, entries: 1, targets: counts.done }
    const untouched = { state: 'failed', keys: 1, entries: 0, targets: counts.failed }
    assert.deepEqual(rows, counts.failed === 0 ? [once] : [once, untouched], message)
    const verdict = await verifyTrail(await homeWorkspace(fresh, home))
    assert.equal(verdict.problems.length, 0)
    const tries = await fresh.database.query<{ again: number }>(
      `select count(*)::integer as again from cleverctl.campaign_target
       where campaign_id = $1 and attempt > 1`,
      [id],
    )
    console.log(
      `      ${prefix}: ${counts.done} done once, ${counts.failed} failed, ${kills} kills, ` +
        `${tries.rows[0]?.again} targets begun again (${message})`,
    )
  }

  it('does each target once, or counts it as failed: workers at the queue', async () => {
    await addPlants(fresh.database, 'work', TARGETS)
    await fresh.database.query('create index on cleverctl.trail (subject)')
    const { id } = await command([
      'api-key',
      'rotate',
      '--all',
      '--older-than',
      '90d',
      '--waves',
      '1,10%,100%',
      '--detach',
    ])
    assert.ok(id)
    const kills = await massacre(['campaign', 'work', '--concurrency', '4'], WORKERS)
    assert.ok(kills > 0)
    await command(['campaign', 'work', '--concurrency', '8', '--until-idle'])
    await assertOnce('work', id, kills)
  })

  it('does each target once, or counts it as failed: the same command again and again', async () => {
    await addPlants(fresh.database, 'alone', TARGETS)
    const words = ['api-key', 'rotate', '--all', '--older-than', '90d', '--waves', '1,10%,100%']
    const kills = await massacre([...words, '--concurrency', '2'], 1)
    const { id } = await command(words)
    const { rows } = await fresh.database.query<{ id: string }>(
      'select max(id) as id from cleverctl.campaign',
    )
    assert.ok(id === null || id === rows[0]?.id)
    await assertOnce('alone', rows[0]?.id ?? '', kills)
  })
})
