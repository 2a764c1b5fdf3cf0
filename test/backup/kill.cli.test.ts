import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SnapshotSet } from '../../src/lib/snapshot/types.js'
import { PROGRAMS } from '../support/estate/cluster.js'
import { drillIsGone } from '../support/estate/backups.js'
import type { EstateCommands } from '../support/estate/commands.js'
import type { Estate, MachineName } from '../support/estate/estate.js'
import { haltProgram } from '../support/estate/halt.js'
import { DATABASES, PLACE, prepare, snapshotFlags } from '../support/estate/snapshots.js'
import { withEstate } from '../support/estate/suite.js'
import { haltTrail, haltTrailAfter, type Halt } from '../support/halt.js'

describe('cleverctl killed at a step, on the estate', function () {
  this.timeout(900_000)
  let commands: EstateCommands
  let estate: Estate

  withEstate(async (up) => {
    commands = up
    estate = commands.estate
    await commands.addAll()
    for (const name of DATABASES) {
      await commands.add(name, '--location', 'hall-1', '--replace', ...snapshotFlags())
      await prepare(commands, name)
    }
  })

  const halt = (name: MachineName, path: string, folder: string, word: string) =>
    haltProgram(estate.machine(name), { path, folder }, word)
  const pgbackrest = (word: string) => halt('bak1', '/usr/bin/pgbackrest', '/usr/local/bin', word)
  const drillProgram = (name: string) =>
    halt('bak1', `${PROGRAMS}/${name}`, PROGRAMS, '/var/tmp/cleverctl-drill')
  const nextEntry = () => haltTrail(commands.fresh.database)
  const entryAfter = (first: Halt) => haltTrailAfter(first, commands.fresh.database)

  /** Until pgBackRest has come to its end by itself. */
  const calm = () =>
    estate.machine('bak1').script('until ! pgrep -x pgbackrest >/dev/null; do sleep 0.1; done')

  it('backup run: nothing blocks the next one, which finishes the work', async () => {
    const run = 'backup run --no-count'
    assert.equal(await commands.killed(run, await nextEntry()), '')
    assert.equal(
      await commands.killed(run, await pgbackrest('--log-level-stderr=error backup')),
      'intent',
    )
    await calm()
    assert.equal(await commands.killed(run, entryAfter(await pgbackrest(' info'))), 'intent')
    // pgBackRest had made that one, and the list says so.
    const { backups } = await commands.json('backup list')
    assert.notDeepEqual(backups, [])
    await commands.json('backup status --max-age 1h')
    const onStandby = await Promise.all(
      (['db2', 'db3'] as const).map((name) =>
        halt(name, '/usr/bin/psql', '/usr/local/bin', `json_build_object('lsn'`),
      ),
    )
    const [first, second] = onStandby
    assert.ok(first && second)
    // Replay stands still at this step, on the one that counts.
    const either: Halt = {
      reached: () => Promise.race([first.reached(), second.reached()]),
      release: async () => {
        await Promise.all([first.release(), second.release()])
      },
    }
    assert.equal(await commands.killed('backup run', either), 'intent')
    for (const name of ['db2', 'db3'] as const)
      while ((await estate.sql(name, 'select pg_is_wal_replay_paused()')) !== 'f') await sleep(100)
    const made = await commands.json('backup run')
    assert.ok(made['counted'])
    assert.deepEqual((await commands.json('backup verify'))['faults'], [])
  })

  it('backup drill: nothing is left of it, and the next one proves the backup', async () => {
    const steps = [
      () => pgbackrest(' restore'),
      () => drillProgram('pg_amcheck'),
      async () => entryAfter(await drillProgram('pg_checksums')),
    ]
    assert.equal(await commands.killed('backup drill', await nextEntry()), '')
    for (const step of steps) {
      assert.equal(await commands.killed('backup drill', await step()), 'intent')
      await drillIsGone(commands)
      // What is not known to have been proven is not said to be.
      const status = await commands.run(['cluster', 'status', '--check', '--json'])
      assert.match(status.stdout, /no-drill/)
    }
    assert.equal((await commands.json('backup drill'))['recovered'], true)
    await drillIsGone(commands)
    await commands.json('cluster status --check')
  })

  it('snapshot create: the next one settles the set, and what is said to be there is there', async () => {
    const onDb2 = (path: string, word: string) => halt('db2', path, '/usr/local/bin', word)
    const steps = [
      () => onDb2('/usr/bin/btrfs', 'subvolume snapshot'),
      () => onDb2('/usr/bin/mv', `${PLACE}/cleverctl-`),
      async () => entryAfter(await onDb2('/usr/bin/sync', PLACE)),
    ]
    const create = 'snapshot create --all'
    assert.equal(await commands.killed(create, await nextEntry()), '')
    for (const [index, step] of steps.entries()) {
      assert.match(
        await commands.killed(`${create} --label killed-${index}`, await step()),
        /intent$/,
      )
      // The forced command comes to its end by itself; until then it would stand still at the next step.
      await estate
        .machine('db2')
        .script(`until ! pgrep -f '[c]leverctl-snapshot' >/dev/null; do sleep 0.1; done`)
    }
    assert.equal((await commands.json(`${create} --label after`))['state'], 'whole')
    const { sets } = (await commands.json('snapshot list')) as unknown as { sets: SnapshotSet[] }
    assert.ok(sets.every(({ state }) => state !== 'open'))
    for (const name of DATABASES) {
      const said = sets
        .filter(({ members }) =>
          members.some(({ host, state }) => host === name && state === 'taken'),
        )
        .map(({ set }) => `cleverctl-${set}`)
      const there = (await estate.machine(name).run('root', ['ls', PLACE])).trim().split('\n')
      assert.deepEqual(there.sort(), said.sort(), name)
    }
    const { rows } = await commands.fresh.database.query(
      `select subject from cleverctl.trail where action = 'snapshot.create'
       group by subject having count(*) filter (where phase = 'outcome') = 0`,
    )
    assert.deepEqual(rows, [])
    await commands.json('snapshot prune --yes')
    await commands.json('trail verify')
  })
})
