import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { ExitCode } from '../../src/lib/errors.js'
import { lastEntries } from '../support/estate/backups.js'
import type { Document, EstateCommands } from '../support/estate/commands.js'
import type { Estate } from '../support/estate/estate.js'
import { withEstate } from '../support/estate/suite.js'

const { ok, failure, conflict, unreachable, findings } = ExitCode
const LOCK = '/tmp/pgbackrest/main-backup.lock'
const OTHER_KEY = `SHA256:${'B'.repeat(42)}E`

describe('cleverctl backup while machines fail', () => {
  let commands: EstateCommands
  let estate: Estate

  withEstate(async (up) => {
    commands = up
    estate = commands.estate
    await commands.addAll()
    await commands.json('backup run --no-count')
  })

  /** Runs a backup to which something happens once it is under way. */
  const during = async (words: string, happens: () => Promise<unknown>) => {
    const running = commands.run(['backup', 'run', '--no-count', ...words.split(' '), '--json'])
    await commands.bak1(`until [ -s ${LOCK} ]; do sleep 0.05; done; sleep 1.5`)
    await happens()
    const { code, stdout } = await running
    return { code, document: (stdout === '' ? {} : JSON.parse(stdout)) as Document }
  }
  /** Until pgBackRest itself has come to its end on the backup machine. */
  const calm = () => commands.bak1('until ! pgrep -x pgbackrest >/dev/null; do sleep 0.1; done')

  it('sends nothing to a backup machine that shows another host key', async () => {
    const rekey = (key: string) => commands.json(`host rekey bak1 --host-key ${key} --offline`)
    await rekey(OTHER_KEY)
    for (const words of ['backup run', 'backup status', 'backup verify', 'backup drill'])
      assert.equal((await commands.json(words, conflict)).error.code, 'host-key-changed')
    assert.deepEqual(await lastEntries(commands), ['intent', 'outcome host-key-changed'])
    await rekey(estate.hostKey('bak1').fingerprint)
  })

  it('finds a clock that is ten minutes off', async () => {
    const script = `#!/bin/sh\nexec /bin/date -d '10 minutes' "$@"\n`
    await estate.machine('db2').write('/usr/local/bin/date', script, 'root', '755')
    const { problems } = (await commands.json('cluster status --check', findings)) as unknown as {
      problems: { code: string; host: string }[]
    }
    assert.ok(problems.some(({ code, host }) => code === 'clock-off' && host === 'db2'))
    await estate.machine('db2').script('rm /usr/local/bin/date')
  })

  it('does not know how it ended when the connection is cut, and says so', async () => {
    const cut = () => commands.bak1(`pkill -f '^sshd: pgbackrest'`)
    const { code, document } = await during('--type full', cut)
    assert.deepEqual([code, document.error.code], [unreachable, 'ssh-lost'])
    assert.deepEqual(await lastEntries(commands), ['intent', 'outcome ssh-lost'])
    await calm()
    await commands.json('backup run --no-count')
  })

  it('fails while the disk of the backup machine is full, and works when it is not', async () => {
    await commands.bak1(`sed -i 's/^start-fast=y/&\\narchive-timeout=5/' /etc/pgbackrest/pgbackrest.conf
      for part in 1 2; do head -c 4G /dev/zero >>/var/lib/pgbackrest/full 2>/dev/null || sync; done`)
    const { error } = await commands.json('backup run --no-count --type full', failure)
    assert.equal(error.code, 'backup-failed')
    assert.deepEqual(await lastEntries(commands), ['intent', `outcome ${error.code}`])
    assert.equal((await commands.json('backup drill', failure)).error.code, 'no-place')
    await commands.bak1('rm /var/lib/pgbackrest/full')
    await calm()
    for (let time = 0; (await commands.run(['backup', 'run', '--no-count'])).code !== ok; time += 1)
      assert.ok(time < 20)
  })

  it('fails when the primary loses its power meanwhile', async () => {
    const { code, document } = await during('--type full', () => estate.machine('db1').powerCut())
    assert.equal(code, failure)
    assert.deepEqual(await lastEntries(commands), ['intent', `outcome ${document.error.code}`])
    await estate.machine('db1').boot()
    const isBack = async () =>
      (await commands.run(['cluster', 'status'])).stdout.includes('primary')
    while (!(await isBack())) await sleep(200)
    await calm()
  })

  it('fails when the standby from which it copies is promoted meanwhile', async () => {
    const promote = () => estate.sql('db2', 'select pg_promote()')
    const { code, document } = await during('--type full --from standby', promote)
    assert.equal(code, failure)
    assert.deepEqual(await lastEntries(commands), ['intent', `outcome ${document.error.code}`])
    const status = await commands.json('cluster status --check', findings)
    const { problems } = status as unknown as { problems: { code: string }[] }
    assert.equal(problems[0]?.code, 'split-brain')
  })
})
