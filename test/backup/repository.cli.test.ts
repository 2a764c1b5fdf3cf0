import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ExitCode } from '../../src/lib/errors.js'
import { Cloud, S3_SECRET } from '../support/estate/cloud.js'
import { EstateCommands, type Document } from '../support/estate/commands.js'
import { canRunEstate, MACHINES, type MachineName } from '../support/estate/estate.js'
import { haltProgram } from '../support/estate/halt.js'
import { haltTrailAfter, type Halt } from '../support/halt.js'

const { ok, failure, usage, partial, notFound, conflict, findings } = ExitCode
const CONFIGURATION = '/etc/pgbackrest/conf.d/cleverctl-repo2.conf'
const NAMES = Object.keys(MACHINES) as MachineName[]

describe('cleverctl backup repo', function () {
  this.timeout(300_000)
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
    await script('db3', 'kill "$(cat /run/sshd.pid)"')
    const left = await add(partial)
    assert.deepEqual(outcomesOf(left), [
      'bak1 unchanged',
      'db1 changed',
      'db2 changed',
      'db3 failed',
    ])
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
    const check = async (code: number) => {
      const document = await commands.json(['backup', 'repo', 'check', '2'], code)
      return (document['faults'] as { host: string; code: string }[]).map(
        (fault) => `${fault.host} ${fault.code}`,
      )
    }
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
})
