import assert from 'node:assert/strict'
import type { CheckedHosts } from '../../src/lib/host/check/check.js'
import { ExitCode } from '../../src/lib/errors.js'
import { DATA, PROGRAMS, start } from '../support/estate/cluster.js'
import type { EstateCommands } from '../support/estate/commands.js'
import type { Estate } from '../support/estate/estate.js'
import { DATABASES, PLACE, prepare, snapshotFlags } from '../support/estate/snapshots.js'
import { withEstate } from '../support/estate/suite.js'

const { ok, notFound, conflict, findings, unreachable } = ExitCode

describe('cleverctl host check', () => {
  let commands: EstateCommands
  let estate: Estate

  withEstate(async (up) => {
    commands = up
    estate = commands.estate
    await commands.add('bak1')
    for (const name of DATABASES) await commands.add(name, ...snapshotFlags())
  })

  const check = async (names: string, code: number): Promise<CheckedHosts> => {
    const words = names === '' ? [] : names.split(' ')
    return (await commands.json(['host', 'check', ...words], code)) as unknown as CheckedHosts
  }
  /** `HOST CHECK STATE` of everything that is not well. */
  const faults = ({ hosts }: CheckedHosts): string[] =>
    hosts.flatMap(({ name, checks }) =>
      checks
        .filter(({ state }) => state !== 'ok')
        .map(({ check: what, state }) => `${name} ${what} ${state}`),
    )

  it('says what to type where hosts are not prepared, and is content when they are', async () => {
    const before = await check('', findings)
    assert.deepEqual(
      faults(before),
      DATABASES.map((name) => `${name} snapshots problem`),
    )
    assert.deepEqual(
      before.hosts.flatMap(({ checks }) => checks.flatMap(({ fix }) => fix ?? [])),
      DATABASES.map((name) => `cleverctl host prepare ${name}`),
    )
    for (const name of DATABASES) await prepare(commands, name)
    const after = await check('', ok)
    assert.deepEqual(
      after.hosts.map(({ name }) => name),
      [...DATABASES, 'bak1'],
    )
    for (const { name, checks } of after.hosts)
      assert.ok(
        checks.length >= 5 && checks.some((each) => each.check === 'pgbackrest-check'),
        name,
      )
  })

  it('finds forced commands that were changed, which host prepare mends, and a snapshot that somebody removed', async () => {
    const { set } = await commands.json(['snapshot', 'create', '--all'])
    await estate.machine('db1').script(
      `btrfs -q subvolume delete ${PLACE}/*/data; rm -r ${PLACE}/cleverctl-*
       echo '# altered' >>/usr/local/sbin/cleverctl-snapshot
       sed -i 's/case .*esac;/pgbackrest ${'${SSH_ORIGINAL_COMMAND#* }'};/' /var/lib/postgresql/.ssh/authorized_keys`,
    )
    const seen = await check('db1 db2', findings)
    assert.deepEqual(faults(seen), [
      ...['db1 pgbackrest-keys problem', 'db1 snapshots problem', 'db1 snapshot-missing problem'],
    ])
    assert.ok(JSON.stringify(seen).includes(`the snapshot of ${String(set)} is gone`))
    await prepare(commands, 'db1')
    const mended = await check('db1', findings)
    assert.deepEqual(faults(mended), ['db1 snapshot-missing problem'])
  })

  it('finds WAL that does not reach the repository, and a program that is missing', async () => {
    await estate.machine('db2').script('mv /usr/bin/pgbackrest /usr/bin/away')
    assert.deepEqual(faults(await check('db2', findings)), ['db2 pgbackrest problem'])
    await estate.machine('db2').script('mv /usr/bin/away /usr/bin/pgbackrest')
    await estate.sql('db1', `alter system set archive_command = 'true'`)
    await estate.sql('db1', 'select pg_reload_conf()')
    assert.ok(faults(await check('db1', findings)).includes('db1 pgbackrest-check problem'))
    await estate.sql('db1', 'alter system reset archive_command')
    await estate.sql('db1', 'select pg_reload_conf()')
  })

  it('finds that pgBackRest lets backups go by itself', async () => {
    const bak1 = estate.machine('bak1')
    await bak1.script('sed -i.kept /^expire-auto/d /etc/pgbackrest/pgbackrest.conf')
    assert.deepEqual(faults(await check('bak1', findings)), ['bak1 pgbackrest-expire problem'])
    await bak1.script('cp /etc/pgbackrest/pgbackrest.conf.kept /etc/pgbackrest/pgbackrest.conf')
    await check('bak1', ok)
  })

  it('finds that the data are somewhere else than recorded', async () => {
    const record = (directory: string) =>
      commands.fresh.database.query(
        `update cleverctl.host set data_directory = $1 where name = 'db2'`,
        [directory],
      )
    await record('/var/lib/postgresql/15/other')
    const { hosts } = await check('db2', findings)
    const [fault] = hosts.flatMap(({ checks }) => checks.filter(({ state }) => state !== 'ok'))
    assert.match(fault?.fix ?? '', new RegExp(`--data-directory ${DATA},`))
    await record(DATA)
  })

  it('finds PostgreSQL down and a data directory that others can read', async () => {
    const control = [`${PROGRAMS}/pg_ctl`, '-D', DATA, '-m', 'fast', 'stop']
    await estate.machine('db3').run('postgres', control)
    await estate.machine('db3').script(`chmod 755 ${DATA}`)
    const found = faults(await check('db3', findings))
    assert.ok(found.includes('db3 postgresql problem'), found.join())
    assert.ok(found.includes('db3 data-directory problem'), found.join())
    await estate.machine('db3').script(`chmod 700 ${DATA}`)
    await start(estate.machine('db3'))
  })

  it('tells a machine out of reach from another host key, and calls neither good', async () => {
    await commands.json(['host', 'check', 'nowhere'], notFound)
    await estate.machine('db3').powerCut()
    assert.deepEqual(faults(await check('db3', unreachable)), ['db3 ssh not-checked'])
    await estate.machine('db3').boot()
    await estate.machine('db3').script(
      `ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/other
       mv /etc/ssh/other /etc/ssh/ssh_host_ed25519_key; kill -HUP "$(cat /run/sshd.pid)"; sleep 0.5`,
    )
    const document = await commands.json(['host', 'check', 'db3'], conflict)
    assert.equal(document.error.code, 'host-key-changed')
    assert.deepEqual(faults(document as unknown as CheckedHosts), ['db3 ssh problem'])
  })
})
