import assert from 'node:assert/strict'
import { ExitCode } from '../../src/lib/errors.js'
import {
  allowReplication,
  DIRECTORY,
  ENGINE,
  giveReplicationPassword,
  receive,
  underWay,
  whileSlow,
} from '../support/estate/basebackup.js'
import { PROGRAMS } from '../support/estate/cluster.js'
import { drillIsGone, labelsOf, lastEntries, SCRATCH } from '../support/estate/backups.js'
import type { Document, EstateCommands } from '../support/estate/commands.js'
import type { Estate } from '../support/estate/estate.js'
import { haltProgram } from '../support/estate/halt.js'
import { DATABASES, prepare } from '../support/estate/snapshots.js'
import { withEstate } from '../support/estate/suite.js'
import { haltTrail, haltTrailAfter } from '../support/halt.js'

const { failure } = ExitCode

describe('cleverctl backup by pg_basebackup while machines fail or it is killed', () => {
  let commands: EstateCommands
  let estate: Estate

  withEstate(async (up) => {
    commands = up
    estate = commands.estate
    for (const name of DATABASES) await commands.add(name)
    await giveReplicationPassword(commands)
    await allowReplication(commands)
    await commands.add('bak1', ...ENGINE)
    await prepare(commands, 'bak1')
    await receive(estate, 'db1')
    await commands.json('backup run --from primary')
  })

  const program = (name: string, word: string) =>
    haltProgram(estate.machine('bak1'), { path: `${PROGRAMS}/${name}`, folder: PROGRAMS }, word)
  /** Until nothing makes a backup any more. */
  const calm = () => commands.bak1(`flock ${DIRECTORY}/.lock true`)
  const failedWith = async ({ error }: Document) => {
    const entries = await lastEntries(commands)
    assert.deepEqual([error.code, ...entries], ['backup-failed', 'intent', 'outcome backup-failed'])
  }

  it('backup run: killed at any step, nothing blocks the next one, which finishes the work', async () => {
    // An idle standby ends a backup before the WAL that is received began.
    const run = 'backup run --no-count --from primary'
    const before = (await labelsOf(commands)).length
    assert.equal(await commands.killed(run, await haltTrail(commands.fresh.database)), '')
    assert.equal(await commands.killed(run, await program('pg_basebackup', '--pgdata')), 'intent')
    await calm()
    const made = await program('pg_controldata', '.new-')
    const step = haltTrailAfter(made, commands.fresh.database)
    assert.equal(await commands.killed(run, step), 'intent')
    await calm()
    // That one was made, and the list says so.
    assert.equal((await labelsOf(commands)).length, before + 1)
    await commands.json(run)
    assert.equal((await labelsOf(commands)).length, before + 2)
    assert.equal(await commands.bak1(`ls -A ${DIRECTORY}/backup | grep -c '^[.]' || true`), '0')
    assert.deepEqual((await commands.json('backup verify'))['faults'], [])
  })

  it('backup drill: killed at a step, nothing is left of it, and the next one proves the backup', async () => {
    await commands.json('backup run')
    const steps = [['pg_verifybackup', 'data'] as const, ['pg_amcheck', SCRATCH] as const]
    for (const [name, word] of steps) {
      assert.equal(await commands.killed('backup drill', await program(name, word)), 'intent')
      await drillIsGone(commands)
    }
    assert.equal((await commands.json('backup drill'))['recovered'], true)
    await drillIsGone(commands)
  })

  it('fails while the disk of the backup machine is full, and works when it is not', async () => {
    const before = (await labelsOf(commands)).length
    await commands.bak1(
      `for part in 1 2; do head -c 4G /dev/zero >>/var/lib/pgbackrest/full 2>/dev/null || sync; done`,
    )
    try {
      await failedWith(await commands.json('backup run --no-count', failure))
      assert.equal((await labelsOf(commands)).length, before)
    } finally {
      await commands.bak1('rm /var/lib/pgbackrest/full')
    }
    await commands.json('backup run --no-count')
    assert.equal((await labelsOf(commands)).length, before + 1)
  })

  it('fails when the primary loses its power meanwhile, and keeps nothing of it', async () => {
    const before = (await labelsOf(commands)).length
    await whileSlow(estate, async () => {
      const words = ['backup', 'run', '--no-count', '--from', 'primary', '--json']
      const running = commands.run(words)
      await underWay(estate)
      await estate.machine('db1').powerCut()
      const run = await running
      assert.equal(run.code, failure)
      await failedWith(run.json() as Document)
    })
    assert.equal((await labelsOf(commands)).length, before)
  })
})
