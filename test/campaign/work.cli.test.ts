import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CampaignReport } from '../../src/lib/campaign/types.js'
import type { WorkReport } from '../../src/lib/campaign/work.js'
import { hasJobQueue } from '../../src/lib/database/job-queue.js'
import { openUrl } from '../support/database.js'
import type { Database } from '../../src/lib/database/database.js'
import { ensureSigningKeys } from '../../src/lib/signing-key/ensure.js'
import { PROGRAM, runCli, type CliResult } from '../support/cli.js'
import { homeWorkspace } from '../support/gate.js'
import { until } from '../support/until.js'
import { startServer, type ServerRole, type TestServer } from '../support/server.js'
import { addPlants } from './plants.js'

describe('campaign work, on a server with the rights of staff', () => {
  let server: TestServer
  let owner: Database
  let home: string

  before(async () => {
    server = await startServer()
    owner = await openUrl(server.url('owner'))
    home = mkdtempSync(join(tmpdir(), 'cctl-work-'))
    await ensureSigningKeys(
      await homeWorkspace({ url: server.url('owner'), database: owner }, home),
    )
  })
  after(async () => {
    await owner?.close()
    await server?.stop()
    rmSync(home, { recursive: true, force: true })
  })

  const run = (
    words: readonly string[],
    role: ServerRole = 'staff',
    cwd?: string,
  ): Promise<CliResult> =>
    runCli(words, { home, env: server.environment(role), ...(cwd === undefined ? {} : { cwd }) })

  async function detach(codes: readonly string[], ...flags: string[]): Promise<string> {
    const result = await run(['api-key', 'rotate', ...codes, '--detach', '--json', ...flags])
    assert.equal(result.code, 0, result.stderr)
    const { id, state, detached, waitsFor } = result.json() as CampaignReport
    assert.deepEqual([state, detached, waitsFor?.what], ['running', true, 'runner'])
    return id ?? ''
  }

  const show = async (id: string) =>
    (await run(['campaign', 'show', id, '--json'])).json() as CampaignReport

  function spawnWorker(): ChildProcess {
    return spawn(process.execPath, [PROGRAM, 'campaign', 'work', '--concurrency', '2'], {
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: home,
        CLEVERCTL_HOME: home,
        ...server.environment('staff'),
      },
      stdio: 'ignore',
    })
  }

  it('works a campaign off that was only made, wave by wave, and ends when nothing is left', async () => {
    const id = await detach(await addPlants(owner, 'first', 40), '--waves', '1,10%,100%')
    const worked = await run(['campaign', 'work', '--until-idle', '--json'])
    assert.equal(worked.code, 0, worked.stderr)
    const { done, failed } = worked.json() as WorkReport
    assert.deepEqual([done, failed], [40, 0])
    const report = await show(id)
    assert.deepEqual([report.state, report.counts.done], ['done', 40])
    const { rows } = await owner.query<{ jobs: number }>(
      'select count(*)::integer as jobs from cleverctl_queue._private_jobs',
    )
    assert.deepEqual(rows, [{ jobs: 0 }], 'nothing stays in the queue')
  })

  it('takes no campaign that a command runs by itself', async () => {
    const [code = ''] = await addPlants(owner, 'own', 1)
    await owner.query(`update cleverctl.installation set retired_at = now() where code = $1`, [
      code,
    ])
    const stopped = await run([
      'api-key',
      'rotate',
      code,
      ...(await addPlants(owner, 'other', 1)),
      '--waves',
      '1,100%',
      '--json',
    ])
    assert.equal(stopped.code, 3)
    const { id } = stopped.json() as CampaignReport
    // As one that is interrupted after its first wave.
    await owner.query(
      `update cleverctl.campaign set state = 'running', watched_from = now() where id = $1`,
      [id],
    )
    const worked = await run(['campaign', 'work', '--until-idle', '--json'])
    assert.deepEqual((worked.json() as WorkReport).done, 0)
    assert.equal((await show(id ?? '')).counts.waiting, 1)
    const resumed = await run(['campaign', 'resume', id ?? '', '--detach', '--json'])
    assert.equal(resumed.code, 0, resumed.stderr)
    await run(['campaign', 'work', '--until-idle'])
    assert.equal((await show(id ?? '')).counts.done, 1)
  })

  it('stops by the rule: failures of one process end the work of all', async () => {
    const codes = await addPlants(owner, 'rule', 30)
    await owner.query(
      `update cleverctl.installation set retired_at = now() where code like 'rule-1%'`,
    )
    const id = await detach(codes, '--waves', '2,100%', '--max-failures', '10%')
    const worked = await run(['campaign', 'work', '--until-idle', '--json'])
    assert.equal(worked.code, 0, 'the worker did its work')
    const report = await show(id)
    assert.equal(report.state, 'stopped')
    assert.equal(report.counts.waiting, 28)
    await run(['campaign', 'abort', id, '--yes'])
  })

  it('is paused from elsewhere at once, goes on after resume, and ends in order on SIGTERM', async () => {
    const codes = await addPlants(owner, 'pause', 400)
    const id = await detach(codes)
    const worker = spawnWorker()
    const ended = once(worker, 'exit')
    try {
      await until(async () => (await show(id)).counts.done > 0, 60_000)
      assert.equal((await run(['campaign', 'pause', id])).code, 0)
      await until(async () => (await show(id)).counts.running === 0, 60_000)
      const paused = await show(id)
      assert.ok(paused.counts.waiting > 0, 'there is something left')
      assert.equal(paused.waitsFor?.what, 'person')
      assert.equal((await run(['campaign', 'resume', id, '--detach'])).code, 0)
      await until(async () => (await show(id)).counts.done > paused.counts.done, 60_000)
    } finally {
      worker.kill('SIGTERM')
    }
    assert.deepEqual(await ended, [143, null])
    const left = await show(id)
    assert.equal(left.counts.running, 0)
    assert.equal(left.waitsFor?.what, 'runner')
    await run(['campaign', 'work', '--until-idle', '--concurrency', '8'])
    assert.equal((await show(id)).counts.done, 400)
  })

  it('runs no program that lies in the folder where it is started', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cctl-cwd-'))
    try {
      const trace = join(folder, 'trace')
      const program = `require('node:fs').writeFileSync(${JSON.stringify(trace)}, ''); module.exports = {}`
      for (const name of [
        '.graphile-workerrc.js',
        '.graphile-workerrc.cjs',
        'graphile-worker.config.js',
      ])
        writeFileSync(join(folder, name), program)
      writeFileSync(join(folder, 'crontab'), '* * * * * mischief\n')
      const result = await run(['campaign', 'work', '--until-idle'], 'staff', folder)
      assert.equal(result.code, 0, result.stderr)
      assert.equal(existsSync(trace), false)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('is refused to a gate, and says what is missing where the queue is', async () => {
    const gate = await run(['campaign', 'work', '--until-idle'], 'gate')
    assert.equal(gate.code, 4, gate.stderr)
    await owner.query('drop schema cleverctl_queue cascade')
    assert.equal(await hasJobQueue(owner), false)
    const staff = await run(['campaign', 'work', '--until-idle'])
    assert.equal(staff.code, 6, staff.stderr)
    assert.match(
      staff.stderr,
      /lacks the job queue, and this role may not make it\nhint: .*cleverctl database migrate/,
    )
    const planned = await run(['database', 'migrate', '--dry-run', '--json'], 'owner')
    assert.deepEqual((planned.json() as { applied: string[] }).applied, ['job queue'])
    const migrated = await run(['database', 'migrate', '--json'], 'owner')
    assert.deepEqual((migrated.json() as { applied: string[] }).applied, ['job queue'])
    assert.equal(await hasJobQueue(owner), true)
    assert.equal((await run(['campaign', 'work', '--until-idle'])).code, 0)
  })
})
