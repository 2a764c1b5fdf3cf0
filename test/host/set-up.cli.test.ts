import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PROGRAM } from '../support/cli.js'
import { call } from '../support/estate/call.js'
import { readChapter } from '../support/estate/chapter.js'
import type { Document, EstateCommands } from '../support/estate/commands.js'
import type { Estate, MachineName } from '../support/estate/estate.js'
import { withEstate } from '../support/estate/suite.js'

/** Rounds of checks on the healthy estate: a script may ask for more than the tests have time for. */
const ROUNDS = Number(process.env['CLEVERCTL_TEST_HEALTHY_ROUNDS'] ?? 2)
/** The machines have no way to a mirror; that the packages are there by these names is seen all the same. */
const PACKAGES = `apt-get() {
  for name in "$@"; do
    case $name in install | -*) ;; *) dpkg-query -W "$name" >/dev/null ;; esac
  done
}
`

describe('the set-up of four machines by docs/estate.md', function () {
  this.timeout(900_000)
  let commands: EstateCommands
  let estate: Estate
  /** What is carried from one machine to another, by the name of its variable. */
  let carried: Record<string, string>

  withEstate(
    async (up) => {
      commands = up
      estate = commands.estate
      carried = { REPLICATION_PASSWORD: randomBytes(24).toString('hex') }
    },
    { isBare: true },
  )

  const shell = (script: string) => ['bash', '-euo', 'pipefail', '-c', script]
  const variables = () => Object.entries(carried).map(([name, value]) => `${name}=${value}`)
  const onMachine = (name: MachineName, script: string) =>
    estate.machine(name).run('root', ['env', ...variables(), ...shell(PACKAGES + script)])
  /** Where cleverctl is: in the network of the estate, with names for its machines. */
  const onOperator = (script: string) => {
    const { home, fresh } = commands
    const place = 'mount --bind "$1" /etc/hosts; shift; exec "$@"'
    const environment = [
      ...['-i', `HOME=${home}`, `CLEVERCTL_HOME=${home}`, `CLEVERCTL_DATABASE_URL=${fresh.url}`],
      ...[`PATH=${home}/bin:${process.env['PATH']}`, 'LC_ALL=C.UTF-8'],
    ]
    return call('nsenter', [
      ...['-t', String(estate.network), '--net', 'unshare', '--mount', '--propagation', 'private'],
      ...['sh', '-euc', place, 'sh', join(home, 'hosts'), 'env', ...environment, ...shell(script)],
    ])
  }

  const json = async (words: string) =>
    JSON.parse(await onOperator(`cleverctl ${words} --json`)) as Document

  it('ends with hosts in order, a set of snapshots, a backup and a drill', async () => {
    const { home } = commands
    const ssh = join(home, '.ssh')
    mkdirSync(ssh, { mode: 0o700 })
    mkdirSync(join(home, 'bin'))
    copyFileSync(estate.key, join(ssh, 'admin'))
    writeFileSync(join(home, 'hosts'), estate.hosts())
    const program = `#!/bin/sh\nexec ${process.execPath} ${PROGRAM} "$@"\n`
    writeFileSync(join(home, 'bin', 'cleverctl'), program, { mode: 0o755 })
    for (const { machines, script } of readChapter('docs/estate.md', 'Set up four machines')) {
      if (machines === undefined) await onOperator(script)
      else {
        const said = await Promise.all(machines.map((name) => onMachine(name, script)))
        if (script.includes('ssh_host_ed25519_key.pub')) {
          carried['ESTATE_HOSTS'] = said.map((text) => text.trim().split('\n').at(-1)).join('\n')
          writeFileSync(join(ssh, 'estate_hosts'), `${carried['ESTATE_HOSTS']}\n`)
        }
      }
      carried['ESTATE_KEY'] ??= readFileSync(join(ssh, 'estate.pub'), 'utf8').trim()
    }
    const { hosts } = await json('cluster status')
    const described = (hosts as { name: string; lastDrill: unknown; lastSnapshot: unknown }[]).map(
      ({ name, lastDrill, lastSnapshot }) => [name, lastDrill !== null, lastSnapshot !== null],
    )
    assert.deepEqual(described, [
      ['db1', false, true],
      ['db2', false, true],
      ['db3', false, true],
      ['bak1', true, false],
    ])
  })

  it('leaves a database host no power over the backups', async () => {
    const ssh = (...words: string[]) =>
      estate.machine('db1').run('postgres', ['ssh', '-o', 'BatchMode=yes', ...words])
    const bak1 = 'pgbackrest@bak1'
    for (const asked of [
      'id',
      'bash -i',
      'rm -rf /var/lib/pgbackrest/backup',
      'pgbackrest --stanza=main stop',
      'pgbackrest --stanza=main stop --log-path=/tmp/a:remote',
      'pgbackrest --stanza=main --repo1-retention-full=1 expire',
      'pgbackrest --stanza=main --force stanza-delete',
      'pgbackrest repo-rm --recurse backup/main',
      '/usr/lib/openssh/sftp-server',
    ])
      await assert.rejects(ssh(bak1, asked), /ended with 64: refused/, asked)
    await assert.rejects(ssh('-T', bak1), /ended with 64: refused/)
    await assert.rejects(ssh('-s', bak1, 'sftp'), /ended with 64/)
    await assert.rejects(ssh('-W', 'localhost:22', bak1), /administratively prohibited/)
    const back = ['-R', '5432:localhost:5432', '-o', 'ExitOnForwardFailure=yes']
    await assert.rejects(ssh(...back, bak1, 'id'), /remote port forwarding failed/)
    // And it is by its own account that the key is good, from its own address.
    const elsewhere = ['ssh', '-o', 'BatchMode=yes', '-i', '/root/taken', bak1]
    const key = await estate.machine('db1').run('postgres', ['sh', '-c', 'cat ~/.ssh/id_ed25519'])
    await estate.machine('db2').write('/root/taken', key, 'root', '600')
    await assert.rejects(estate.machine('db2').run('root', elsewhere), /Permission denied/)
    await assert.rejects(ssh('root@bak1', 'id'), /Permission denied/)
    await json('backup run --type incr --no-count')
    assert.equal(((await json('backup list'))['backups'] as unknown[]).length, 2)
  })

  it(`finds nothing wrong in ${ROUNDS} rounds of checks, because nothing is`, async () => {
    for (let round = 0; round < ROUNDS; round += 1)
      for (const words of [
        'cluster status --check',
        'host check',
        'backup status --max-age 24h',
        'backup verify',
      ])
        await json(words)
  }).timeout(900_000 + ROUNDS * 60_000)
})
