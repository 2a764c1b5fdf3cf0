import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ExitCode } from '../../src/lib/errors.js'
import { AZURE_ACCOUNT, AZURE_SECRET, Cloud, S3_SECRET } from '../support/estate/cloud.js'
import { EstateCommands, type Document } from '../support/estate/commands.js'
import { canRunEstate, MACHINES, type MachineName } from '../support/estate/estate.js'
import { haltProgram } from '../support/estate/halt.js'
import { haltTrailAfter, type Halt } from '../support/halt.js'

const { ok, failure, usage, partial, notFound, conflict, findings } = ExitCode
const CONFIGURATION = '/etc/pgbackrest/conf.d/cleverctl-repo2.conf'
const NAMES = Object.keys(MACHINES) as MachineName[]

describe('cleverctl backup repo', function () {
  let commands: EstateCommands
  let cloud: Cloud
  let secretFile: string

  before(async function () {
    if (!canRunEstate()) return this.skip()
    commands = await EstateCommands.up()
    await commands.addAll()
    await commands.estate.letRootIn()
    cloud = await Cloud.s3(commands.estate, 'solar-backup')
    secretFile = join(commands.home, 's3.key')
    writeFileSync(secretFile, `${S3_SECRET}\n`, { mode: 0o600 })
  })
  after(async () => {
    await cloud?.close()
    await commands?.down()
  })

  const root = () => ['--identity', commands.estate.key]
  const addWords = (...more: string[]) => [
    ...['backup', 'repo', 'add', '2', '--type', 's3', '--bucket', 'solar-backup'],
    ...['--region', 'us-east-1', '--endpoint', cloud.endpoint, '--port', String(cloud.port)],
    ...['--uri-style', 'path', '--secret-file', secretFile, ...root(), ...more],
  ]
  const add = (code: number = ok) => commands.json(addWords('--ca-file', cloud.authority), code)
  const removeWords = () => ['backup', 'repo', 'remove', '2', '--yes', ...root()]
  const script = (name: MachineName, text: string) => commands.estate.machine(name).script(text)
  /** What this tool has on each machine below /etc/pgbackrest. */
  const filesOf = async (name: MachineName) =>
    (await script(name, `find /etc/pgbackrest -name 'cleverctl-*' | sort`))
      .split('\n')
      .filter(Boolean)
  const stateOf = async () => {
    const { repositories } = await commands.json(['backup', 'repo', 'list'])
    return (repositories as { number: number; state: string }[]).map(
      ({ number, state }) => `${number} ${state}`,
    )
  }
  /** Waits until WAL that is written from now on is in every repository which the primary knows. */
  const archives = async () => {
    const sql = (text: string) => commands.estate.sql('db1', text)
    const segment = await sql(`select pg_walfile_name(pg_create_restore_point('now'))`)
    await sql('select pg_switch_wal()')
    const question = `select last_archived_wal >= '${segment}' from pg_stat_archiver`
    while ((await sql(question)) !== 't') await sleep(100)
  }
  const faultsOf = ({ faults }: Document) =>
    (faults as { host: string; code: string }[]).map(({ host, code }) => `${host} ${code}`)
  const outcomesOf = ({ machines }: Document) =>
    (machines as { name: string; outcome: string }[]).map(
      ({ name, outcome }) => `${name} ${outcome}`,
    )

  it('does not send a byte to a cloud whose certificate it cannot verify, and puts everything back', async () => {
    const { error } = await commands.json(addWords(), failure)
    assert.equal(error.code, 'repository-failed')
    assert.match(error.message, /certificate/)
    for (const name of NAMES) assert.deepEqual(await filesOf(name), [], name)
    assert.deepEqual(await stateOf(), [])
    assert.equal(
      (await commands.json([...addWords(), '--account', 'x'], usage)).error.code,
      'surplus-flag',
    )
  })

  it('finishes what was killed at any step, or kept from a machine that was out of reach', async () => {
    const pgbackrest = (word: string) =>
      haltProgram(
        commands.estate.machine('bak1'),
        { path: '/usr/bin/pgbackrest', folder: '/usr/local/bin' },
        word,
      )
    const killed = async (step: Halt) => {
      await commands.killed(addWords('--ca-file', cloud.authority), step)
      assert.deepEqual(await stateOf(), ['2 CHANGING'])
    }
    await killed(await pgbackrest('stanza-create'))
    await archives()
    await script('db3', 'kill "$(cat /run/sshd.pid)"')
    const left = await add(partial)
    assert.deepEqual(outcomesOf(left), [
      'bak1 unchanged',
      'db1 changed',
      'db2 changed',
      'db3 failed',
    ])
    await archives()
    await script('db3', '/usr/sbin/sshd -E /var/log/sshd.log')
    await killed(haltTrailAfter(await pgbackrest(' check'), commands.fresh.database))
    const added = await add()
    assert.equal(added['outcome'], 'added')
    assert.deepEqual(await stateOf(), ['2 ACTIVE'])
    assert.equal((await add())['outcome'], 'unchanged')
  })

  it('gives the keys to the backup machine alone, and encrypts by a passphrase that can be revealed', async () => {
    for (const name of ['db1', 'db2', 'db3'] as const) {
      assert.deepEqual(await filesOf(name), [CONFIGURATION])
      const text = await script(name, `grep -v '^#' ${CONFIGURATION}`)
      assert.equal(text, '[global]\nrepo2-host=bak1\nrepo2-host-user=pgbackrest\n')
    }
    const text = await script('bak1', `cat ${CONFIGURATION}; stat -c %a:%U:%G ${CONFIGURATION}`)
    assert.match(text, /^repo2-s3-key-secret=S3RVER$[^]*^640:root:pgbackrest$/m)
    const revealed = await commands.json([
      ...['backup', 'repo', 'reveal', '2', '--reason', 'test', '--reveal'],
    ])
    assert.ok(text.includes(`\nrepo2-cipher-pass=${String(revealed['secret'])}\n`))
    const { rows } = await commands.fresh.database.query<{ text: string }>(
      `select string_agg(details::text, '') as text from cleverctl.trail`,
    )
    for (const secret of ['S3RVER', String(revealed['secret'])])
      assert.ok(!rows[0]?.text.includes(secret))
  })

  it('is looked at from every machine, and a backup can be made into it', async () => {
    const check = async (code: number) =>
      faultsOf(await commands.json(['backup', 'repo', 'check', '2'], code))
    assert.deepEqual(await check(findings), ['bak1 no-backup'])
    const run = await commands.json(['backup', 'run', '--repo', '2', '--no-count'])
    assert.deepEqual([run['repository'], run['type']], [2, 'full'])
    assert.deepEqual(await check(ok), [])
    await script('bak1', `sed -i '$ a repo2-storage-verify-tls=n' ${CONFIGURATION}`)
    assert.deepEqual(await check(findings), ['bak1 tls-not-verified'])
    await script('bak1', `sed -i '$ d' ${CONFIGURATION}`)
    const only = await commands.json(removeWords(), conflict)
    assert.equal(only.error.code, 'only-repository')
    await commands.json(['backup', 'run', '--no-count'])
  })

  it('takes it out where it can be taken out everywhere, and leaves its backups', async () => {
    const remove = (code: number = ok) => commands.json(removeWords(), code)
    await script('db3', 'kill "$(cat /run/sshd.pid)"')
    const left = await remove(partial)
    assert.deepEqual(outcomesOf(left), ['db1 changed', 'db2 changed', 'db3 failed'])
    await script('bak1', `test -e ${CONFIGURATION}`)
    await script('db3', '/usr/sbin/sshd -E /var/log/sshd.log')
    assert.equal((await remove())['outcome'], 'removed')
    for (const name of NAMES) assert.deepEqual(await filesOf(name), [], name)
    assert.equal((await remove(notFound)).error.code, 'repository-not-found')
    assert.deepEqual(await stateOf(), [])
    // The same place again: the same passphrase, or what is in it could not be read.
    assert.equal((await add())['outcome'], 'added')
  })

  describe('of Azure', () => {
    let azure: Cloud

    before(async function () {
      if (!Cloud.hasAzure()) return this.skip()
      azure = await Cloud.azure(commands.estate, 'main')
    })
    after(() => azure?.close())

    const addAzure = (authority: string, code: number = ok) =>
      commands.json(
        [
          ...['backup', 'repo', 'add', '3', '--type', 'azure', '--account', AZURE_ACCOUNT],
          ...['--container', 'main', '--endpoint', azure.endpoint, '--port', String(azure.port)],
          ...['--uri-style', 'path', '--secret-file', '-', '--ca-file', authority, ...root()],
        ],
        code,
        { input: AZURE_SECRET },
      )

    it('is added, and keeps what works when its certificate is of another authority', async () => {
      assert.equal((await addAzure(azure.authority))['outcome'], 'added')
      const { error } = await addAzure(cloud.authority, failure)
      assert.match(error.message, /unable to verify certificate presented by 'azure\.example/)
      assert.deepEqual(await stateOf(), ['2 ACTIVE', '3 ACTIVE'])
    })

    it('takes a backup that is whole and can be restored', async () => {
      const run = await commands.json(['backup', 'run', '--repo', '3'])
      assert.deepEqual([run['repository'], run['type']], [3, 'full'])
      const [, , verified, drill] = await Promise.all(
        ['repo check 3', 'status --repo 3', 'verify --repo 3', 'drill --repo 3'].map((words) =>
          commands.json(`backup ${words}`),
        ),
      )
      assert.equal(verified?.['backups'], 1)
      assert.deepEqual([drill?.['label'], drill?.['recovered']], [run['label'], true])
    })

    it('is taken out again', async () => {
      const words = ['backup', 'repo', 'remove', '3', '--yes', ...root()]
      assert.equal((await commands.json(words))['outcome'], 'removed')
      assert.deepEqual(await stateOf(), ['2 ACTIVE'])
    })
  })

  describe('in a cloud that is down', () => {
    before(async () => {
      await cloud.close()
      // Only the waits are shorter.
      for (const name of NAMES) {
        const program =
          '#!/bin/bash\nexec /usr/bin/pgbackrest "${@/#--io-timeout=*/--io-timeout=1}"\n'
        await commands.estate
          .machine(name)
          .write('/usr/local/bin/pgbackrest', program, 'root', '755')
      }
    })

    it('is named by every status, which comes back and is not good', async () => {
      const ask = (line: string) => commands.json(line, findings)
      const [cluster, backup, repository] = await Promise.all([
        ask('cluster status --check'),
        ask('backup status'),
        ask('backup repo check 2'),
      ])
      for (const { problems } of [cluster, backup])
        assert.ok(
          (problems as { code: string; message: string }[]).some(
            ({ code, message }) => code === 'repository' && message.startsWith('repository 2: '),
          ),
        )
      assert.deepEqual(repository['notChecked'], [])
      assert.deepEqual(
        faultsOf(repository).sort(),
        [...NAMES].sort().map((name) => `${name} not-well`),
      )
    })

    it('can be taken out, so that WAL goes on into the others', async () => {
      assert.equal((await commands.json(removeWords()))['outcome'], 'removed')
      await archives()
    })
  })
})
