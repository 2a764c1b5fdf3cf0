import assert from 'node:assert/strict'
import type { BackupDrill } from '../../src/lib/backup/drill.js'
import type { PrunedBackups } from '../../src/lib/backup/prune.js'
import type { ClusterStatus } from '../../src/lib/cluster/types.js'
import { ExitCode } from '../../src/lib/errors.js'
import type { CheckedHosts } from '../../src/lib/host/check/check.js'
import {
  allowReplication,
  DIRECTORY,
  ENGINE,
  giveReplicationPassword,
  receive,
  receiving,
  underWay,
  WAL,
  whileSlow,
} from '../support/estate/basebackup.js'
import { labelsOf } from '../support/estate/backups.js'
import type { Document, EstateCommands } from '../support/estate/commands.js'
import type { Estate } from '../support/estate/estate.js'
import { DATA } from '../support/estate/cluster.js'
import { DATABASES, prepare } from '../support/estate/snapshots.js'
import { withEstate } from '../support/estate/suite.js'

const { ok, failure, usage, conflict, findings, unreachable } = ExitCode

describe('cleverctl backup by pg_basebackup', () => {
  let commands: EstateCommands
  let estate: Estate

  withEstate(async (up) => {
    commands = up
    estate = commands.estate
    for (const name of DATABASES) await commands.add(name)
    await giveReplicationPassword(commands)
  })

  const codes = (document: Document) =>
    (document['faults'] as { code: string }[]).map(({ code }) => code)
  const problems = async (code: number) => {
    const { hosts } = (await commands.json('host check', code)) as unknown as CheckedHosts
    return hosts.flatMap(({ name, checks }) =>
      checks.filter(({ state }) => state !== 'ok').map(({ check }) => `${name} ${check}`),
    )
  }
  /** Lets the primary begin a new segment. @returns the former one, which has been received */
  const received = async () => {
    await estate.sql('db1', 'create table if not exists mark (n integer)')
    const wal = await estate.sql('db1', 'select pg_walfile_name(pg_switch_wal())')
    await commands.bak1(`until [ -e ${WAL}/${wal} ]; do sleep 0.1; done`)
    return wal
  }

  it('is recorded of a backup machine alone, with a directory', async () => {
    for (const words of [
      ENGINE.slice(0, 2),
      ENGINE.slice(2),
      [...ENGINE, '--replication-role', 'a b'],
    ]) {
      const given = ['--role', 'backup', '--address', '192.0.2.14', '--offline', ...words]
      await commands.json(
        ['host', 'add', 'bak1', '--host-key', estate.hostKey('bak1').fingerprint, ...given],
        usage,
      )
    }
    const added = await commands.add('bak1', ...ENGINE)
    assert.deepEqual(added['basebackup'], { directory: DIRECTORY, role: 'replicator' })
    assert.equal((await commands.add('bak1', ...ENGINE))['outcome'], 'unchanged')
  })

  it('says what is missing until the machines are prepared', async () => {
    const copies = DATABASES.map(() => 'bak1 replication')
    assert.deepEqual(await problems(findings), [
      'bak1 disk-of-repository',
      'bak1 directory',
      'bak1 receiver',
      ...copies,
    ])
    await allowReplication(commands)
    assert.match(
      (await prepare(commands, 'bak1')).join('\n'),
      /^todo systemctl .* cleverctl-receive-main$/m,
    )
    assert.deepEqual(
      (await prepare(commands, 'bak1')).filter((line) => line.startsWith('changed')),
      [],
    )
    assert.equal((await commands.json('backup status', findings)).error.code, 'no-backup')
    const { problems: seen } = (await commands.json('cluster status')) as unknown as ClusterStatus
    assert.ok(seen.some(({ code }) => code === 'wal-not-received'))
    await receive(estate, 'db1')
    assert.deepEqual(await problems(ok), [])
  })

  it('makes a full one from a standby or the primary, and no other type', async () => {
    await estate.sql('db1', 'create table reading as select n from generate_series(1, 1000) as n')
    assert.equal((await commands.json('backup run --type incr', usage)).error.code, 'full-only')
    const first = await commands.json('backup run')
    assert.match(String(first['label']), /^\d{8}-\d{6}F$/)
    assert.deepEqual([first['type'], first['from'], first['host']], ['full', 'standby', 'bak1'])
    assert.ok(Number(first['bytes']) > 1_000_000 && first['counted'] !== null)
    const second = await commands.json('backup run --type full --from primary')
    assert.equal(second['from'], 'primary')
    assert.deepEqual(await labelsOf(commands), [first['label'], second['label']])
    await commands.json('backup status --max-age 1h')
    assert.equal(
      (await commands.json('backup status --max-age 1ms', findings)).error.code,
      'backup-old',
    )
  })

  it('proves the last one by a drill, up to the last segment that was received', async () => {
    await received()
    const drill = (await commands.json('backup drill --latest')) as unknown as BackupDrill
    assert.deepEqual(
      drill.checks.map(({ name, state }) => `${name} ${state}`),
      ['restore', 'recovery', 'rows', 'end-of-recovery', 'wal', 'structure', 'pages'].map(
        (name) => `${name} ok`,
      ),
    )
  })

  it('finds a file that has changed, and WAL that is missing in the middle or at the end', async () => {
    const [middle, last] = [await received(), await received()]
    assert.deepEqual(codes(await commands.json('backup verify')), [])
    for (const wal of [middle, last]) {
      await commands.bak1(`mv ${WAL}/${wal} ${DIRECTORY}/away`)
      assert.deepEqual(codes(await commands.json('backup verify', findings)), ['wal-gap'])
      await commands.bak1(`mv ${DIRECTORY}/away ${WAL}/${wal}`)
    }
    const file = `${DIRECTORY}/backup/${(await labelsOf(commands)).at(-1)}/data/global/pg_control`
    await commands.bak1(
      `cp -a ${file} ${DIRECTORY}/away; printf X | dd of=${file} bs=1 seek=4000 conv=notrunc status=none`,
    )
    assert.deepEqual(codes(await commands.json('backup verify', findings)), ['backup-invalid'])
    const drill = (await commands.json('backup drill --latest', findings)) as unknown as BackupDrill
    assert.deepEqual(
      drill.checks.map(({ name, state }) => `${name} ${state}`),
      ['restore failed'],
    )
    await commands.bak1(`mv ${DIRECTORY}/away ${file}`)
    for (const [damaged, words, word] of [
      [file.replace('data/global/pg_control', 'facts'), 'backup list', 'backup-unreadable'],
      [`${WAL}/00000009.history`, 'backup verify', 'not-checked'],
    ] as const) {
      await commands.bak1(`: >>${damaged}; mv ${damaged} ${DIRECTORY}/away; : >${damaged}`)
      assert.equal((await commands.json(words, failure)).error.code, word)
      await commands.bak1(`rm ${damaged}; mv ${DIRECTORY}/away ${damaged}`)
    }
    await commands.bak1(`rm ${WAL}/00000009.history`)
  })

  it('finds a damaged page of the database, and keeps no backup of it', async () => {
    const before = await labelsOf(commands)
    await estate.sql('db1', 'create table torn as select n from generate_series(1, 5000) as n')
    // Frozen, so that autovacuum leaves it alone: the next checkpoint would write its page anew, whole.
    await estate.sql('db1', 'vacuum (freeze) torn')
    await estate.sql('db1', 'checkpoint')
    const file = `${DATA}/${await estate.sql('db1', `select pg_relation_filepath('torn')`)}`
    await estate
      .machine('db1')
      .script(`printf XXXXXXXX | dd of=${file} bs=1 seek=12000 conv=notrunc status=none`)
    try {
      assert.equal(
        (await commands.json('backup run --from primary', findings)).error.code,
        'backup-damaged',
      )
    } finally {
      await estate.sql('db1', 'drop table torn')
    }
    assert.deepEqual(await labelsOf(commands), before)
  })

  it('lists no half-made one, refuses a second run meanwhile, and goes on after the power was cut', async () => {
    const before = (await labelsOf(commands)).length
    await whileSlow(estate, async () => {
      const first = commands.run(['backup', 'run', '--json'])
      await underWay(estate)
      assert.equal((await labelsOf(commands)).length, before)
      const { error } = await commands.json('backup run', conflict)
      assert.equal(error.code, 'backup-running')
      assert.match(error.message, /process \d+, begun .* UTC/)
      await estate.machine('bak1').powerCut()
      const { code, json: documentOf } = await first
      assert.deepEqual([code, (documentOf() as Document).error.code], [unreachable, 'ssh-lost'])
      await estate.machine('bak1').boot()
    })
    assert.equal((await commands.json('backup status', findings)).error.code, 'wal-not-received')
    await receive(estate, 'db1')
    await commands.json('backup run --no-count')
    assert.equal((await labelsOf(commands)).length, before + 1)
    assert.equal(await commands.bak1(`ls -A ${DIRECTORY}/backup | grep -c '^[.]' || true`), '0')
  })

  it('lets backups go that are old and more than enough, and the WAL before the oldest one', async () => {
    const words = 'backup prune --keep-within 0 --keep-daily 1 --keep-weekly 0 --keep-monthly 0'
    const look = async (more = '') =>
      ((await commands.json(words + more)) as unknown as PrunedBackups).backups.map(
        ({ outcome }) => outcome,
      )
    // The last proven one stays, and would be the one to go.
    await commands.fresh.database.query('delete from cleverctl.drill')
    const before = await labelsOf(commands)
    const plan = await look()
    assert.ok(plan.includes('expired') && plan.at(-1) === 'kept')
    assert.deepEqual(await labelsOf(commands), before)
    assert.ok((await look(' --yes')).includes('deleted'))
    const kept = before.filter((_, index) => plan[index] === 'kept')
    assert.deepEqual(await labelsOf(commands), kept)
    assert.deepEqual(codes(await commands.json('backup verify')), [])
    const { backups } = (await commands.json('backup list')) as unknown as {
      backups: { walStop: string }[]
    }
    assert.equal(
      await commands.bak1(`ls ${WAL} | grep -xE '[0-9A-F]{24}' | head -n 1`),
      backups[0]?.walStop,
    )
  })

  it('goes on with the new primary after the old one lost its power at the end of a segment', async () => {
    await received()
    await estate.machine('db1').powerCut()
    await estate.sql('db2', 'select pg_promote()')
    await receiving(estate, 'db2')
    const run = await commands.json('backup run --from primary --no-count')
    assert.equal(run['from'], 'primary')
    assert.deepEqual(codes(await commands.json('backup verify')), [])
  })
})
