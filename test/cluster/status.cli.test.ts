import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ClusterStatus } from '../../src/lib/cluster/types.js'
import { ExitCode } from '../../src/lib/errors.js'
import { runCliTty } from '../support/cli.js'
import { DATA, PROGRAMS } from '../support/estate/cluster.js'
import type { EstateCommands } from '../support/estate/commands.js'
import type { Estate } from '../support/estate/estate.js'
import { withEstate } from '../support/estate/suite.js'

const { ok, findings, unreachable, notFound } = ExitCode
const STATUS = ['cluster', 'status']
const CHECK = [...STATUS, '--check']

describe('cleverctl cluster status', () => {
  let commands: EstateCommands
  let estate: Estate

  withEstate(async (up) => {
    commands = up
    estate = commands.estate
  })

  const status = async (words: readonly string[], code: number = ok): Promise<ClusterStatus> => {
    return (await commands.json(words, code)) as unknown as ClusterStatus
  }
  /** Looks until it is as wanted, for as long as a test may take. */
  const until = async (
    words: readonly string[],
    code: number,
    isSo: (seen: ClusterStatus) => boolean,
  ) => {
    for (;;) {
      const result = await commands.run([...words, '--json'])
      const seen = result.json() as ClusterStatus
      if (result.code === code && isSo(seen)) return seen
      await sleep(200)
    }
  }
  const codes = ({ problems }: ClusterStatus) => problems.map(({ code }) => code)

  it('says that nothing is recorded before anything is', async () => {
    const { error } = await commands.json(STATUS, notFound)
    assert.equal(error.code, 'no-hosts')
  })

  it('finds the primary, its standbys and what a young estate lacks', async () => {
    await commands.addAll()
    const seen = await status(STATUS)
    assert.equal(seen.primary, 'db1')
    assert.deepEqual(
      seen.hosts.map(({ name, role, isStreaming, syncState }) => [
        name,
        role,
        isStreaming,
        syncState,
      ]),
      [
        ['db1', 'primary', null, null],
        ['db2', 'standby', true, 'async'],
        ['db3', 'standby', true, 'async'],
        ['bak1', 'backup', null, null],
      ],
    )
    assert.deepEqual(seen.redundancy, {
      ...{ copies: 3, copiesReason: null },
      ...{ hasBackup: false, locations: 2 },
    })
    assert.deepEqual(codes(seen), ['no-backup'])
    assert.deepEqual(codes(await status(CHECK, findings)), ['no-backup'])
  })

  it('raises no false alarm on a healthy estate that writes', async () => {
    await estate.machine('bak1').run('pgbackrest', ['pgbackrest', '--stanza=main', 'backup'])
    await commands.fresh.database.query(
      `insert into cleverctl.drill (kind, stanza, host, subject, result, begun_at, ended_at)
       values ('backup', 'main', 'bak1', 'earlier', 'proven', now(), now())`,
    )
    await estate.sql('db1', 'create table reading as select n from generate_series(1, 1000) as n')
    for (let time = 0; time < 8; time += 1) {
      await estate.sql('db1', 'insert into reading select n from generate_series(1, 20000) as n')
      const { problems, backup } = await status([...CHECK, '--max-lag', '2s'])
      assert.deepEqual(problems, [])
      assert.equal(backup?.last?.type, 'full')
    }
  })

  it('writes metrics as one file, and the same to a terminal and a pipe', async () => {
    const file = join(commands.home, 'cleverctl.prom')
    await status([...STATUS, '--prometheus', file])
    const text = readFileSync(file, 'utf8')
    assert.match(text, /^cleverctl_cluster_primary\{stanza="main",host="db1"\} 1$/m)
    assert.match(text, /^cleverctl_cluster_primary\{stanza="main",host="db2"\} 0$/m)
    assert.match(text, /^cleverctl_cluster_problems\{stanza="main"\} 0$/m)
    assert.match(text, /^cleverctl_cluster_lag_seconds\{stanza="main",host="db3"\} [\d.]+$/m)
    const { stdout } = await commands.run(STATUS)
    assert.match(stdout, /^db1\tprimary\t/m)
    assert.match(stdout, /^slots\tdb2, db3$/m)
    assert.match(stdout, /^WAL archive\t[0-9A-F]{24}[^,]*, \d{4}-[^ ]+Z/m)
  })

  it('is drawn anew with --watch until Ctrl-C, and in a terminal alone', async () => {
    const { home, fresh } = commands
    const watched = await runCliTty([...STATUS, '--watch'], {
      ...{ home, network: estate.network, columns: 140 },
      env: { CLEVERCTL_DATABASE_URL: fresh.url },
      answers: [{ expect: /Ctrl-C ends[\s\S]*Ctrl-C ends/, send: '\x03' }],
    })
    assert.equal(watched.code, ExitCode.interrupted, watched.stdout)
    assert.match(watched.stdout, /db1 +✓ primary|db1 .*primary/)
    for (const words of [
      [...STATUS, '--watch'],
      [...CHECK, '--watch'],
    ])
      await commands.json(words, ExitCode.usage)
  })

  it('finds a standby whose replay stands still, by bytes and seconds', async () => {
    await estate.sql('db2', 'select pg_wal_replay_pause()')
    await sleep(2500)
    await estate.sql('db1', 'insert into reading select n from generate_series(1, 20000) as n')
    const seen = await status([...CHECK, '--max-lag', '1s'], findings)
    const db2 = seen.hosts.find(({ name }) => name === 'db2')
    assert.deepEqual([codes(seen), seen.problems[0]?.host], [['lag'], 'db2'])
    assert.ok((db2?.lagBytes ?? 0) > 100_000, JSON.stringify(db2))
    await estate.sql('db2', 'select pg_wal_replay_resume()')
    await until([...CHECK, '--max-lag', '1s'], ok, ({ problems }) => problems.length === 0)
  })

  it('finds an archive_command that is not there, which PostgreSQL does not count as a failure', async () => {
    const change = async (command: string | null) => {
      const value =
        command === null ? 'reset archive_command' : `set archive_command = '${command}'`
      await estate.sql('db1', `alter system ${value}`)
      await estate.sql('db1', 'select pg_reload_conf()')
    }
    await change('/nowhere/archive %p')
    await estate.sql('db1', 'select pg_switch_wal()')
    const path = `${DATA}/pg_wal/archive_status`
    const age = `until ls ${path}/*.ready >/dev/null 2>&1; do sleep 0.1; done; touch -d '10 minutes ago' ${path}/*.ready`
    await estate.machine('db1').script(age)
    const seen = await status(CHECK, findings)
    assert.deepEqual(codes(seen), ['archive-stuck'])
    await change(null)
    await until(CHECK, ok, ({ problems }) => problems.length === 0)
  })

  it('names a standby without a cable as not asked, and never says that all is well', async () => {
    await estate.machine('db3').unplug()
    const seen = await until(CHECK, findings, (each) => codes(each).includes('slot-inactive'))
    assert.deepEqual(
      seen.notChecked.map(({ host }) => host),
      ['db3'],
    )
    await status(STATUS, unreachable)
    await estate.machine('db3').plug()
    await until(CHECK, ok, ({ problems }) => problems.length === 0)
  })

  it('finds the new primary after the old one lost its power, and the two that both write', async () => {
    await estate.machine('db1').powerCut()
    const without = await until(CHECK, findings, (seen) => codes(seen).includes('not-streaming'))
    assert.ok(codes(without).includes('no-primary'))
    assert.equal(without.primary, null)
    assert.equal(without.redundancy.copies, null)
    await estate.sql('db2', 'select pg_promote()')
    const promoted = await status(STATUS, unreachable)
    assert.equal(promoted.primary, 'db2')
    await estate.machine('db1').boot()
    const split = await until(CHECK, findings, (seen) => codes(seen).includes('split-brain'))
    assert.equal(split.primary, null)
    assert.match(split.problems[0]?.message ?? '', /db1 \(timeline 1\), db2 \(timeline 2\)/)
    await estate
      .machine('db1')
      .run('postgres', [`${PROGRAMS}/pg_ctl`, '-D', DATA, '-m', 'immediate', 'stop'])
    const down = await status(CHECK, findings)
    assert.ok(down.problems.some(({ code, host }) => code === 'postgresql-down' && host === 'db1'))
    assert.equal(down.primary, 'db2')
  })
})
