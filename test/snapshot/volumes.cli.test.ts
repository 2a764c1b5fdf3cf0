import assert from 'node:assert/strict'
import type { CheckedHosts } from '../../src/lib/host/check/check.js'
import { ExitCode } from '../../src/lib/errors.js'
import type { SnapshotDrill } from '../../src/lib/snapshot/drill.js'
import type { SnapshotSet } from '../../src/lib/snapshot/types.js'
import { DATA } from '../support/estate/cluster.js'
import type { EstateCommands } from '../support/estate/commands.js'
import type { MachineName } from '../support/estate/estate.js'
import { DATABASES, PLACE, prepare, snapshotFlags } from '../support/estate/snapshots.js'
import { withEstate } from '../support/estate/suite.js'
import { CONSOLE, pretend } from '../support/estate/volumes.js'

const { ok, findings, failure } = ExitCode

describe('cleverctl snapshot by ZFS and LVM', () => {
  let commands: EstateCommands
  let set: string

  withEstate(async (up) => {
    commands = up
    await commands.add('db1', ...snapshotFlags('zfs'))
    for (const name of ['db2', 'db3'] as const) await commands.add(name, ...snapshotFlags('lvm'))
    for (const name of DATABASES) await prepare(commands, name)
  })

  const machine = (name: MachineName) => commands.estate.machine(name)
  const kept = (name: MachineName) =>
    name === 'db1' ? '/var/lib/postgresql/.zfs/snapshot' : '/disk/volumes'
  const list = async (name: MachineName, folder: string) =>
    (await machine(name).run('root', ['sh', '-c', `ls -A ${folder} | grep cleverctl || true`]))
      .split('\n')
      .filter(Boolean)
  /** The forced command, as root runs it. */
  const forced = (name: MachineName, words: string) => {
    const driver = name === 'db1' ? 'zfs' : 'lvm'
    const program = ['/usr/local/sbin/cleverctl-snapshot', driver, '5432', DATA, PLACE]
    return machine(name).run('root', ['env', `SSH_ORIGINAL_COMMAND=${words}`, ...program])
  }
  const problems = async (code: number) => {
    const { hosts } = (await commands.json(
      ['host', 'check', ...DATABASES],
      code,
    )) as unknown as CheckedHosts
    return hosts.flatMap(({ name, checks }) =>
      checks
        .filter(({ state }) => state !== 'ok')
        .map(({ check, message }) => `${name} ${check}: ${message}`),
    )
  }

  it('says which programs are missing', async () => {
    const found = (await problems(findings)).join('\n')
    assert.match(found, /^db1 programs: zfs is missing$/m)
    assert.match(found, /^db2 programs: lvs is missing$/m)
    assert.match(found, /^db1 snapshot-place: .*zfsutils-linux/m)
  })

  it('makes a whole set, and proves it by a server from each copy', async () => {
    await pretend(machine('db1'), { kind: 'zfs' })
    await pretend(machine('db2'), { kind: 'lvm', fileSystem: 'ext4', pool: 'pool0' })
    await pretend(machine('db3'), { kind: 'lvm', fileSystem: 'xfs' })
    assert.deepEqual(await problems(ok), [])
    const made = (await commands.json(['snapshot', 'create', '--all'])) as unknown as SnapshotSet
    assert.equal(made.state, 'whole')
    set = made.set
    for (const name of DATABASES)
      assert.deepEqual(await list(name, kept(name)), [`cleverctl-${set}`], name)
    const drill = (await commands.json(['snapshot', 'drill', set])) as unknown as SnapshotDrill
    assert.deepEqual(
      drill.members.map(({ host, result }) => `${host} ${result}`),
      DATABASES.map((name) => `${name} proven`),
    )
    for (const name of ['db2', 'db3'] as const)
      assert.doesNotMatch(
        await machine(name).run('root', ['cat', '/proc/self/mountinfo']),
        /cleverctl-/,
      )
  })

  it('gives the volume manager the documented commands, and room for all that may change', async () => {
    const said = async (name: MachineName) => machine(name).run('root', ['cat', CONSOLE])
    assert.match(await said('db1'), new RegExp(`^zfs snapshot tank/pg@cleverctl-${set}$`, 'm'))
    assert.match(
      await said('db2'),
      new RegExp(`^lvcreate --yes -s -n cleverctl-${set} vg0/pg$`, 'm'),
    )
    assert.match(
      await said('db2'),
      new RegExp(`^mount -t ext4 -o ro /dev/vg0/cleverctl-${set} `, 'm'),
    )
    assert.match(
      await said('db3'),
      new RegExp(`^lvcreate --yes -s -n cleverctl-${set} -l 100%ORIGIN vg0/pg$`, 'm'),
    )
    assert.match(
      await said('db3'),
      new RegExp(`^mount -t xfs -o ro,nouuid /dev/vg0/cleverctl-${set} `, 'm'),
    )
  })

  it('finishes what a kill left, whatever came of the volume', async () => {
    const name = 'cleverctl-20260101-000000'
    for (const host of ['db1', 'db3'] as const) {
      const [made, take] =
        host === 'db1'
          ? ['zfs tank/pg ./15/main zfs', `zfs snapshot tank/pg@${name}`]
          : ['lvm vg0/pg ./15/main xfs', `lvcreate --yes -s -n ${name} -l 100%ORIGIN vg0/pg`]
      const begun = `mkdir ${PLACE}/.new-${name}; echo ${made} >${PLACE}/.new-${name}/made`
      for (const left of [`mkdir ${PLACE}/.new-${name}`, begun, `${begun}; ${take}`]) {
        await machine(host).script(`${left} >/dev/null`)
        await forced(host, `create ${name}`)
        assert.match(await forced(host, 'list'), new RegExp(`^${name}\twhole\t`, 'm'))
        // Gone from the list, and then killed.
        await machine(host).script(`mv ${PLACE}/${name} ${PLACE}/.old-${name}`)
        await forced(host, `delete ${name}`)
        assert.deepEqual(await list(host, kept(host)), [`cleverctl-${set}`], left)
        assert.deepEqual(await list(host, PLACE), [`cleverctl-${set}`], left)
      }
    }
  })

  it('touches no volume of another name or origin, and calls nothing gone that it cannot see', async () => {
    const name = 'cleverctl-20260101-000000'
    await machine('db1').script(`zfs snapshot tank/pg@daily`)
    await machine('db3').script(
      `lvcreate --yes -s -n daily -l 100%ORIGIN vg0/pg >/dev/null
       mkdir ${PLACE}/${name}; echo lvm vg0/other . xfs >${PLACE}/${name}/made
       lvcreate --yes -s -n ${name} -l 100%ORIGIN vg0/pg >/dev/null`,
    )
    await assert.rejects(forced('db3', `delete ${name}`), /no snapshot of vg0\/other/)
    assert.deepEqual(await list('db3', kept('db3')), [name, `cleverctl-${set}`])
    await machine('db1').script('mv /usr/local/sbin/zfs /usr/local/sbin/away')
    await assert.rejects(forced('db1', 'list'), /ended with 74/)
    await assert.rejects(forced('db1', `delete cleverctl-${set}`), /not found/)
    await machine('db1').script('mv /usr/local/sbin/away /usr/local/sbin/zfs')
    await machine('db1').script(`mv ${PLACE}/.old-cleverctl-${set} ${PLACE}/cleverctl-${set}`)
    await forced('db1', `delete cleverctl-${set}`)
    for (const host of ['db1', 'db3'] as const)
      await machine(host).run('root', ['ls', '-d', `${kept(host)}/daily`])
  })

  it('says that a snapshot is gone which ran full or which somebody else destroyed', async () => {
    await machine('db3').script(`touch /disk/volumes/cleverctl-${set}/full`)
    const found = await problems(findings)
    for (const name of ['db1', 'db3'] as const)
      assert.ok(
        found.includes(`${name} snapshot-missing: the snapshot of ${set} is gone`),
        found.join('\n'),
      )
    const restore = [
      'snapshot',
      'restore',
      set,
      '--host',
      'db3',
      '--to',
      '/var/lib/postgresql/15/copy',
    ]
    assert.equal((await commands.json(restore, ExitCode.notFound)).error.code, 'snapshot-not-there')
  })

  it('refuses where the data are on nothing of the kind', async () => {
    await machine('db2').script(
      `sed -i 's/KIND=lvm/KIND=none/' /etc/estate/volumes; rm /usr/local/sbin/findmnt`,
    )
    const { error } = await commands.json(['snapshot', 'create', '--host', 'db2'], failure)
    assert.equal(error.code, 'snapshot-refused')
    assert.match(error.message, /btrfs .*lvm makes no snapshots/)
  })
})
