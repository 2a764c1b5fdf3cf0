import assert from 'node:assert/strict'
import { dirname } from 'node:path'
import type { ClusterStatus } from '../../src/lib/cluster/types.js'
import { ExitCode } from '../../src/lib/errors.js'
import type { SnapshotDrill } from '../../src/lib/snapshot/drill.js'
import type { PrunedSnapshots } from '../../src/lib/snapshot/prune.js'
import type { SnapshotSet } from '../../src/lib/snapshot/types.js'
import { call } from '../support/estate/call.js'
import { DATA, PROGRAMS, start } from '../support/estate/cluster.js'
import type { EstateCommands } from '../support/estate/commands.js'
import type { Estate, MachineName } from '../support/estate/estate.js'
import { DATABASES, PLACE, prepare, snapshotFlags } from '../support/estate/snapshots.js'
import { withEstate } from '../support/estate/suite.js'
import { makeKey } from '../support/ssh.js'

const { ok, usage, partial, refused, notFound, findings, conflict, failure } = ExitCode
const CREATE = ['snapshot', 'create', '--all']
const COPY = '/var/lib/postgresql/15/copy'

describe('cleverctl snapshot', () => {
  let commands: EstateCommands
  let estate: Estate
  /** The set that a drill has proven. */
  let provenSet: string | undefined

  withEstate(async (up) => {
    commands = up
    estate = commands.estate
    await commands.add('bak1')
    for (const name of DATABASES) await commands.add(name, ...snapshotFlags())
  })

  const create = async (words: readonly string[], code: number = ok): Promise<SnapshotSet> =>
    (await commands.json(words, code)) as unknown as SnapshotSet
  const sets = async (...more: string[]): Promise<SnapshotSet[]> => {
    const { sets: found } = await commands.json(['snapshot', 'list', ...more])
    return found as SnapshotSet[]
  }
  /** The folders on a machine, those that a kill left among them. */
  const onDisk = async (name: MachineName): Promise<string[]> =>
    (await estate.machine(name).run('root', ['ls', '-A', PLACE]))
      .split('\n')
      .filter((each) => each.includes('cleverctl-'))
  /** SSH as root by the key of cleverctl, as somebody would try who had got hold of it. */
  const asRoot = (name: MachineName, words: string) => {
    const { address } = estate.machine(name)
    const options = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null']
    const ssh = ['ssh', '-i', estate.key, ...options, '-o', 'BatchMode=yes', `root@${address}`]
    return call('nsenter', ['-t', String(estate.network), '--net', ...ssh, words])
  }
  /** Starts a server of a copy, with nothing of the real one, and asks it. */
  const askCopy = async (name: MachineName, directory: string, statement: string) => {
    const machine = estate.machine(name)
    const socket = '/var/lib/postgresql/copy-socket'
    await machine.run('postgres', ['mkdir', '-p', '-m', '700', socket])
    const options = `-c listen_addresses='' -c unix_socket_directories=${socket} -c logging_collector=off`
    const control = [`${PROGRAMS}/pg_ctl`, '-D', directory, '-s', '-w', '-l', `${socket}/log`]
    await machine.run('postgres', [...control, '-o', options, 'start'])
    try {
      const words = ['psql', '-XAtqc', statement, '-h', socket, '-d', 'postgres']
      return (await machine.run('postgres', words)).trim()
    } finally {
      await machine.run('postgres', [...control, '-m', 'fast', 'stop'])
      await machine.run('postgres', [`${PROGRAMS}/pg_checksums`, '-D', directory, '--check'])
      await machine.run('postgres', ['rm', '-rf', directory])
    }
  }

  it('says how to be let in where it is not, and makes nothing', async () => {
    const { error } = await commands.json(CREATE, refused)
    assert.equal(error.code, 'host-not-prepared')
    const [set] = await sets()
    assert.deepEqual(
      [set?.state, set?.members.map(({ state }) => state)],
      ['partial', ['failed', 'failed', 'failed']],
    )
  })

  it('prepares every machine by a script that changes nothing the second time', async () => {
    for (const name of [...DATABASES, 'bak1'] as const) {
      const first = await prepare(commands, name)
      assert.ok(
        first.some((line) => line.startsWith('changed')),
        `${name}: ${first.join()}`,
      )
      const second = await prepare(commands, name)
      assert.deepEqual(
        second.filter((line) => !line.startsWith('unchanged')),
        [],
      )
    }
    // pgBackRest comes in as before.
    await estate.machine('bak1').run('pgbackrest', ['pgbackrest', '--stanza=main', 'check'])
  })

  it('gives the key of cleverctl and the machines no more than they need', async () => {
    for (const words of [
      'id',
      'sh -c id',
      'delete ../../etc',
      'create postgresql',
      'list; id',
      'copy cleverctl-20260101-000000 /etc/x y',
    ])
      await assert.rejects(asRoot('db1', words), /ended with 64/, words)
    // Whoever becomes postgres can neither see nor remove a snapshot.
    for (const words of [
      ['ls', PLACE],
      ['rm', '-rf', PLACE],
      ['mv', PLACE, `${PLACE}2`],
    ])
      await assert.rejects(estate.machine('db1').run('postgres', words), /denied|not permitted/i)
    const stop = ['ssh', 'pgbackrest@bak1', 'pgbackrest --stanza=main stop']
    await assert.rejects(estate.machine('db1').run('postgres', stop), /ended with 64/)
  })

  it('makes a set of all hosts, with what each was and where in the WAL', async () => {
    await estate.sql('db1', 'create table reading as select n from generate_series(1, 1000) as n')
    const set = await create([...CREATE, '--label', 'nightly'])
    assert.match(set.set, /^\d{8}-\d{6}-nightly$/)
    assert.equal(set.state, 'whole')
    assert.deepEqual(
      set.members.map(({ host, role, timeline, state }) => [host, role, timeline, state]),
      [
        ['db1', 'primary', 1, 'taken'],
        ['db2', 'standby', 1, 'taken'],
        ['db3', 'standby', 1, 'taken'],
      ],
    )
    const identifier = await estate.sql('db1', 'select system_identifier from pg_control_system()')
    for (const { lsn, takenAt, systemIdentifier } of set.members) {
      assert.match(String(lsn), /^0\/[0-9A-F]+$/)
      assert.ok(Math.abs(Date.now() - Date.parse(String(takenAt))) < 60_000)
      assert.equal(systemIdentifier, identifier)
    }
    for (const name of DATABASES)
      assert.deepEqual(await onDisk(name), [`cleverctl-${set.set}`], name)
    const { rows } = await commands.fresh.database.query<{ phase: string }>(
      'select phase from cleverctl.trail where subject = $1 order by seq',
      [set.set],
    )
    assert.deepEqual(
      rows.map(({ phase }) => phase),
      ['intent', 'outcome'],
    )
    const { hosts } = (await commands.json(['cluster', 'status'])) as unknown as ClusterStatus
    assert.deepEqual(
      hosts.map(({ name, lastSnapshot }) => [name, lastSnapshot?.set]),
      [...DATABASES.map((name) => [name, set.set]), ['bak1', undefined]],
    )
  })

  it('refuses what cannot be a set before it touches a machine', async () => {
    const count = (await sets()).length
    const codes: [string[], number, string][] = [
      [['snapshot', 'create'], usage, 'usage'],
      [[...CREATE, '--label', 'a b'], usage, 'bad-label'],
      [['snapshot', 'create', '--host', 'bak1'], ExitCode.notFound, 'host-not-found'],
    ]
    for (const [words, code, word] of codes) {
      const { error } = await commands.json(words, code)
      if (word !== 'usage') assert.equal(error.code, word)
    }
    const env = { CLEVERCTL_KEYRING_FILE: '/nonexistent/keyring.json' }
    const { error } = await commands.json(CREATE, refused, { env })
    assert.equal(error.code, 'keyring-missing')
    assert.equal((await sets()).length, count)
  })

  it('starts a server from the copy of a snapshot that was taken while the primary wrote', async () => {
    await estate.sql(
      'db1',
      `create table account (id integer primary key, amount integer);
       insert into account select n, 100 from generate_series(1, 100) as n`,
    )
    const transfer = `do $$ begin for n in 1..400 loop
        update account set amount = amount - 1 where id = 1 + n % 100;
        update account set amount = amount + 1 where id = 1 + (n * 7) % 100;
        commit; end loop; end $$`
    const writing = estate.sql('db1', transfer)
    const set = await create(CREATE)
    await writing
    for (const name of ['db1', 'db2'] as const) {
      const restore = ['snapshot', 'restore', set.set, '--host', name, '--to', COPY]
      const copy = await commands.json(restore)
      assert.deepEqual([copy['host'], copy['directory']], [name, COPY])
      // The folder is not empty any more.
      assert.equal((await commands.json(restore, failure)).error.code, 'snapshot-refused')
      const sum = 'select sum(amount), pg_is_in_recovery(), current_setting($$archive_mode$$)'
      assert.equal(await askCopy(name, COPY, `${sum} from account`), '10000|f|off')
    }
    const restore = ['snapshot', 'restore', set.set, '--host', 'db1', '--to']
    for (const live of [DATA, `${DATA}/base`, '/var/lib/postgresql', `${PLACE}/copy`])
      assert.equal((await commands.json([...restore, live], usage)).error.code, 'live-directory')
    const { error } = await commands.json([...restore, '/disk/copy'], failure)
    assert.equal(error.message, 'db1: postgres cannot make a folder in /disk')
    assert.equal(await estate.sql('db1', 'select sum(amount) from account'), '10000')
  })

  it('proves a set by a server that is started from each copy, and finds a page that is bad', async () => {
    await estate.sql(
      'db1',
      `create table torn as select n, repeat('x', 200) as text from generate_series(1, 2000) as n;
       checkpoint`,
    )
    const set = await create(CREATE)
    const words = ['snapshot', 'drill', set.set]
    const proven = (await commands.json(words)) as unknown as SnapshotDrill
    assert.equal(proven.result, 'proven')
    provenSet = set.set
    for (const { host, recovered, checks, rtoSeconds } of proven.members) {
      assert.ok(recovered && rtoSeconds !== null, host)
      assert.deepEqual(
        checks.map(({ name, state }) => `${name} ${state}`),
        ['copy ok', 'recovery ok', 'structure ok', 'pages ok'],
      )
    }
    const path = await estate.sql('db1', `select pg_relation_filepath('torn')`)
    const file = `${PLACE}/cleverctl-${set.set}/data/${path}`
    // On a standby, recovery would write the page anew.
    await estate.machine('db1').script(
      `btrfs property set -ts ${PLACE}/cleverctl-${set.set}/data ro false
       printf torn | dd of=${file} bs=1 seek=20000 conv=notrunc status=none`,
    )
    const torn = (await commands.json(words, findings)) as unknown as SnapshotDrill
    assert.deepEqual(
      torn.members.map(({ host, result }) => `${host} ${result}`),
      ['db1 failed', 'db2 proven', 'db3 proven'],
    )
    for (const name of DATABASES)
      assert.doesNotMatch(
        await estate.machine(name).run('root', ['ls', '-A', dirname(DATA)]),
        /cleverctl-drill/,
      )
    const { rows } = await commands.fresh.database.query<{ phase: string; result: string | null }>(
      `select phase, details->>'result' as result from cleverctl.trail
       where action = 'snapshot.drill' order by seq`,
    )
    assert.deepEqual(
      rows.map(({ phase, result }) => [phase, result]),
      [
        ['intent', null],
        ['outcome', 'proven'],
        ['intent', null],
        ['outcome', 'failed'],
      ],
    )
    assert.equal(
      (await commands.json([...words, '--host', 'bak1'], notFound)).error.code,
      'snapshot-not-there',
    )
  })

  it('marks a set partial when a host or its PostgreSQL is not there, and says which', async () => {
    const stop = [`${PROGRAMS}/pg_ctl`, '-D', DATA, '-m', 'fast', 'stop']
    await estate.machine('db2').run('postgres', stop)
    await estate.machine('db3').powerCut()
    const set = await create(CREATE, partial)
    assert.deepEqual(
      [set.state, set.members.map(({ host, state }) => `${host} ${state}`)],
      ['partial', ['db1 taken', 'db2 failed', 'db3 failed']],
    )
    assert.match(String(set.members[1]?.reason), /takes no connections/)
    await start(estate.machine('db2'))
    await estate.machine('db3').boot()
  })

  it('lets two not make sets at once', async () => {
    const together = await Promise.all([commands.run(CREATE), commands.run(CREATE)])
    assert.ok(together.some(({ code }) => code === ok))
    assert.ok(together.every(({ code }) => code === ok || code === conflict))
    await create([...CREATE, '--label', 'after'])
  })

  it('prunes what is old and more than enough, on every host, once it is told to', async () => {
    const prune = [
      'snapshot',
      'prune',
      ...['--keep-within', '0', '--keep-hourly', '0', '--keep-daily', '1', '--keep-weekly', '0'],
    ]
    const nothing = [...prune.slice(0, -4), '--keep-daily', '0', '--keep-weekly', '0']
    assert.equal((await commands.json(nothing, usage)).error.code, 'keeps-nothing')
    const before = await sets()
    const whole = before.filter(({ state }) => state === 'whole').map(({ set }) => set)
    const wanted = new Set([whole[0], provenSet, whole.at(-1)])
    const plan = (await commands.json(prune)) as unknown as PrunedSnapshots
    assert.equal(plan.dryRun, true)
    assert.deepEqual(
      plan.sets.filter(({ outcome }) => outcome === 'kept').map(({ set }) => set),
      [...wanted],
    )
    assert.deepEqual(await sets(), before)
    await estate.machine('db3').unplug()
    await commands.json([...prune, '--yes'], partial)
    await estate.machine('db3').plug()
    assert.ok((await sets()).some(({ state }) => state === 'leaving'))
    const done = (await commands.json([...prune, '--yes'])) as unknown as PrunedSnapshots
    assert.equal(done.dryRun, false)
    assert.ok(done.sets.every(({ outcome }) => outcome === 'kept' || outcome === 'deleted'))
    const names = [...wanted].map((set) => `cleverctl-${set}`)
    for (const name of DATABASES) assert.deepEqual(await onDisk(name), names, name)
    assert.deepEqual(
      (await sets()).map(({ set }) => set),
      [...wanted],
    )
    assert.equal((await sets('--all')).length, before.length)
  })

  it('makes a snapshot of single files by reflink, from a standby and the primary', async () => {
    for (const name of ['db1', 'db3'] as const) {
      await commands.add(name, ...snapshotFlags('reflink'), '--replace')
      await prepare(commands, name)
    }
    const writing = estate.sql(
      'db1',
      `create table wide as select n, repeat('x', 500) as text from generate_series(1, 20000) as n`,
    )
    const set = await create(['snapshot', 'create', '--host', 'db1', '--host', 'db3'])
    await writing
    assert.equal(set.state, 'whole')
    for (const name of ['db1', 'db3'] as const) {
      await commands.json(['snapshot', 'restore', set.set, '--host', name, '--to', COPY])
      assert.equal(await askCopy(name, COPY, 'select sum(amount) from account'), '10000')
    }
    await asRoot('db3', `delete cleverctl-${set.set}`)
    assert.ok(!(await onDisk('db3')).includes(`cleverctl-${set.set}`))
  })

  it('installs by an administrator, and not by the key that is to be limited', async () => {
    const admin = makeKey(commands.home, 'admin')
    const prepared = ['host', 'prepare', 'db2', '--yes', '--identity']
    const same = await commands.json([...prepared, estate.key], conflict)
    assert.equal(same.error.code, 'same-identity')
    await commands.json([...prepared, admin], refused)
    const line = (await call('cat', [`${admin}.pub`])).trim()
    await estate.machine('db2').script(
      `echo '${line}' >>/root/.ssh/authorized_keys
       sed -i 's/^PermitRootLogin.*/PermitRootLogin prohibit-password/' /etc/ssh/sshd_config
       kill -HUP "$(cat /run/sshd.pid)"; rm /usr/local/sbin/cleverctl-snapshot; sleep 0.5`,
    )
    assert.equal((await commands.json([...prepared, admin]))['outcome'], 'installed')
    assert.equal((await commands.json([...prepared, admin]))['outcome'], 'unchanged')
    await create(['snapshot', 'create', '--host', 'db2'])
  })
})
