import assert from 'node:assert/strict'
import { createPublicKey, type JsonWebKey } from 'node:crypto'
import jsonwebtoken from 'jsonwebtoken'
import type { BackupDrill } from '../../src/lib/backup/drill.js'
import type { ClusterStatus } from '../../src/lib/cluster/types.js'
import { ExitCode } from '../../src/lib/errors.js'
import { drillIsGone, SCRATCH } from '../support/estate/backups.js'
import type { Document, EstateCommands } from '../support/estate/commands.js'
import type { Estate } from '../support/estate/estate.js'
import { withEstate } from '../support/estate/suite.js'

const { ok, failure, usage, notFound, conflict, unreachable, findings } = ExitCode
const ARCHIVE = '/var/lib/pgbackrest/archive/main/15-1'

describe('cleverctl backup drill', () => {
  let commands: EstateCommands
  let estate: Estate

  withEstate(async (up) => {
    commands = up
    estate = commands.estate
    await commands.addAll()
    await estate.sql(
      'db1',
      'create table reading as select n, n::text as t from generate_series(1, 9000) n',
    )
    await estate.sql('db1', 'create index on reading (n)')
    await estate.sql('db1', 'create database plant')
  })

  const drill = async (words = '--latest', code: number = ok) =>
    (await commands.json(`backup drill ${words}`, code)) as unknown as BackupDrill
  const states = ({ checks }: BackupDrill) =>
    Object.fromEntries(checks.map(({ name, state }) => [name, state]))

  it('proves a backup that was made while data were written, by its rows to the record', async () => {
    assert.equal((await commands.json('backup drill', notFound)).error.code, 'backup-not-found')
    const stop = new AbortController()
    const writing = (async () => {
      while (!stop.signal.aborted) {
        await estate.sql(
          'db1',
          'insert into reading select n, n::text from generate_series(1, 500) n',
        )
        await estate.sql('db1', 'delete from reading where ctid = (select min(ctid) from reading)')
      }
    })()
    const run = await commands.json('backup run')
    assert.equal((run['counted'] as { tables: number }).tables, 1)
    stop.abort()
    await writing
    const proven = await drill()
    assert.deepEqual(states(proven), {
      restore: 'ok',
      recovery: 'ok',
      rows: 'ok',
      'end-of-recovery': 'ok',
      wal: 'ok',
      structure: 'ok',
      pages: 'ok',
    })
    assert.equal(proven.recovered, true)
    assert.ok((proven.rtoSeconds ?? 0) > 0 && (proven.rpoSeconds ?? 0) > 0, JSON.stringify(proven))
    await drillIsGone(commands)
  })

  it('signs what it found, keeps it in the trail, and shows it in the status of the cluster', async () => {
    const { rows } = await commands.fresh.database.query<{ phase: string; details: Document }>(
      `select phase, details from cleverctl.trail where action = 'backup.drill' order by seq desc limit 2`,
    )
    const [outcome, intent] = rows
    assert.deepEqual([intent?.phase, outcome?.phase], ['intent', 'outcome'])
    const evidence = String(outcome?.details['evidence'])
    const { kid, typ } = jsonwebtoken.decode(evidence, { complete: true })?.header ?? {}
    assert.equal(typ, 'evidence+jwt')
    const keys = await commands.fresh.database.query<{ jwk: JsonWebKey }>(
      'select public_jwk as jwk from cleverctl.signing_key where kid = $1',
      [kid],
    )
    const key = createPublicKey({ key: keys.rows[0]?.jwk ?? {}, format: 'jwk' })
    const statement = jsonwebtoken.verify(evidence, key) as { drill: BackupDrill; result: string }
    assert.equal(statement.result, 'proven')
    assert.equal(statement.drill.label, outcome?.details['label'])
    const status = (await commands.json('cluster status')) as unknown as ClusterStatus
    const keeper = status.hosts.find(({ name }) => name === 'bak1')
    assert.deepEqual([keeper?.lastDrill?.result, status.problems], ['proven', []])
    const check = 'cluster status --check --max-drill-age 1ms'
    const aged = (await commands.json(check, findings)) as unknown as ClusterStatus
    assert.deepEqual(
      aged.problems.map(({ code, severity }) => [code, severity]),
      [['no-drill', 'warning']],
    )
  })

  it('proves one backup by its label, and recovers to a time', async () => {
    const label = String((await commands.json('backup run --type incr'))['label'])
    const before = new Date(
      Number(await estate.sql('db1', 'select extract(epoch from now()) * 1000')),
    )
    await estate.sql('db1', 'drop table reading')
    await estate.sql('db1', 'select pg_switch_wal()')
    const one = await drill(`--label ${label}`)
    assert.deepEqual([one.label, states(one)['rows'], states(one)['wal']], [label, 'ok', undefined])
    const then = await drill(`--time ${before.toISOString()}`)
    assert.deepEqual([then.label, then.recovered, states(then)['rows']], [label, true, 'ok'])
    assert.ok(Date.parse(then.recoveredUntil ?? '') <= before.getTime())
    await commands.json('backup drill --time 2099-01-01T00:00:00Z', usage)
    await commands.json('backup drill --label none', notFound)
  })

  it('finds rows that are not what was counted', async () => {
    const { database } = commands.fresh
    const change = (sign: string) =>
      database.query(`update cleverctl.backup_count
        set tables = jsonb_set(tables, '{0,digest}', to_jsonb('${sign}' || (tables->0->>'digest')))`)
    await change('-')
    const { checks } = await drill('--latest', findings)
    assert.match(
      checks.find(({ name }) => name === 'rows')?.message ?? '',
      /reading holds other values/,
    )
    await database.query(`update cleverctl.backup_count
      set tables = jsonb_set(tables, '{0,digest}', to_jsonb(substr(tables->0->>'digest', 2)))`)
  })

  it('finds WAL that is missing, of which pgBackRest and PostgreSQL say nothing', async () => {
    for (const n of [1, 2, 3]) {
      await estate.sql('db1', `create table mark_${n} as select n from generate_series(1, 9) as n`)
      await estate.sql('db1', 'select pg_switch_wal()')
    }
    const segments = (await commands.bak1(`ls ${ARCHIVE}/0000000100000000/*-* | sort`)).split('\n')
    const [gap = '', after = ''] = segments.slice(-2)
    await commands.bak1(`until ls ${after} >/dev/null; do sleep 0.1; done; mv ${gap} /var/tmp/kept`)
    const { checks, recovered } = await drill('--latest', findings)
    assert.match(checks.find(({ name }) => name === 'wal')?.message ?? '', /WAL is missing/)
    assert.equal(recovered, true)
    await commands.bak1(`mv /var/tmp/kept ${gap}`)
  })

  it('finds a byte of the repository that has changed', async () => {
    const bundle = await commands.bak1('ls /var/lib/pgbackrest/backup/main/*F/bundle/* | tail -1')
    await commands.bak1(`cp -a ${bundle} /var/tmp/kept
      printf XXXXXXXX | dd of=${bundle} bs=1 seek=5000 conv=notrunc status=none`)
    const { recovered, checks } = await drill('--latest', findings)
    assert.deepEqual(
      [recovered, checks.map(({ name, state }) => [name, state])],
      [false, [['restore', 'failed']]],
    )
    await commands.bak1(`cp -a /var/tmp/kept ${bundle}`)
  })

  it('throws away what a power cut has left, and nothing else', async () => {
    const cut = commands.run(['backup', 'drill', '--json'])
    await commands.bak1(`until [ -e ${SCRATCH}/data/postmaster.pid ]; do sleep 0.1; done`)
    await estate.machine('bak1').powerCut()
    assert.equal((await cut).code, unreachable)
    await commands.json('backup drill', unreachable)
    await estate.machine('bak1').boot()
    await commands.bak1(`[ -e ${SCRATCH}/data/postmaster.pid ]`)
    await drill()
    await drillIsGone(commands)
    await commands.bak1(
      `mkdir ${SCRATCH}; echo mine >${SCRATCH}/file; chown -R pgbackrest: ${SCRATCH}`,
    )
    assert.equal((await commands.json('backup drill', conflict)).error.code, 'place-taken')
    assert.equal(await commands.bak1(`cat ${SCRATCH}/file; rm -r ${SCRATCH}`), 'mine')
  })

  it('proves nothing where a check could not be carried out', async () => {
    await commands.bak1('mkdir /srv/small; mount -t tmpfs -o size=20m,mode=777 tmpfs /srv/small')
    assert.equal(
      (await commands.json('backup drill --directory /srv/small', failure)).error.code,
      'no-room',
    )
    await commands.json('backup run --type incr --no-count')
    const { checks, recovered } = await drill('--latest', failure)
    assert.equal(recovered, true)
    assert.deepEqual(
      checks.filter(({ state }) => state !== 'ok').map(({ name, state }) => [name, state]),
      [['rows', 'not-checked']],
    )
  })

  it('finds a damaged page, of which pgBackRest ends with 0', async () => {
    await estate.sql('db1', 'create table torn as select n from generate_series(1, 5000) as n')
    // Frozen, so that autovacuum leaves it alone: the next checkpoint would write its page anew, whole.
    await estate.sql('db1', 'vacuum (freeze) torn')
    await estate.sql('db1', 'checkpoint')
    const path = await estate.sql('db1', `select pg_relation_filepath('torn')`)
    const file = `/var/lib/postgresql/15/main/${path}`
    const spoil = `printf XXXXXXXX | dd of=${file} bs=1 seek=12000 conv=notrunc status=none`
    await estate.machine('db1').script(spoil)
    const bare = ['pgbackrest', '--stanza=main', '--type=incr', '--no-backup-standby', 'backup']
    await estate.machine('bak1').run('pgbackrest', bare)
    const found = states(await drill('--latest', findings))
    assert.deepEqual([found['structure'], found['pages']], ['failed', 'failed'])
  })
})
