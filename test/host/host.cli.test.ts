import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ExitCode } from '../../src/lib/errors.js'
import { runCli, type CliOptions } from '../support/cli.js'
import { freshDatabase, type FreshDatabase } from '../support/database.js'
import { canServeSsh, hostKeyOfFile, makeKey, startSshd, type SshServer } from '../support/ssh.js'

const { ok, usage, refused, notFound, conflict, unreachable } = ExitCode
const DATABASE = [
  ...['--role', 'database', '--username', 'root', '--location', 'hall 1'],
  ...['--data-directory', '/var/lib/postgresql/15/main'],
]

describe('cleverctl host', function () {
  let fresh: FreshDatabase
  let home: string
  let server: SshServer
  let key: string

  before(async function () {
    if (!canServeSsh()) return this.skip()
    fresh = await freshDatabase()
    home = mkdtempSync(join(tmpdir(), 'cctl-host-'))
    key = makeKey(home, 'estate')
    server = await startSshd({ keys: [key] })
    await json(['init', '--yes'])
  })
  after(async () => {
    await server?.stop()
    await fresh?.drop()
    if (home !== undefined) rmSync(home, { recursive: true, force: true })
  })

  /** Runs a command that must end with `code`. @returns its document */
  const json = async (words: readonly string[], code: number = ok, more: CliOptions = {}) => {
    const env = { CLEVERCTL_DATABASE_URL: fresh.url, ...more.env }
    const result = await runCli([...words, '--json'], { home, cwd: home, ...more, env })
    assert.equal(result.code, code, result.stdout + result.stderr)
    return result.json() as Record<string, unknown> & { error: { code: string } }
  }
  const at = ({ address, port }: SshServer): string[] => [
    ...['--address', address, '--port', String(port)],
  ]
  const add = (name: string, ...more: string[]): string[] => [
    ...['host', 'add', name, ...at(server)],
    ...['--host-key', server.hostKey.fingerprint, '--identity', key, ...more],
  ]
  const trail = async (subject: string): Promise<string[]> => {
    const { rows } = await fresh.database.query<{ action: string }>(
      'select action from cleverctl.trail where subject = $1 order by seq',
      [subject],
    )
    return rows.map(({ action }) => action)
  }

  it('add records a host once, and show names its key without showing it', async () => {
    const words = add('db1', ...DATABASE, '--snapshot-driver', 'btrfs')
    const flags = ['--snapshot-directory', '/btrfs/snap']
    const added = await json([...words, ...flags])
    assert.deepEqual([added['outcome'], added['verified']], ['added', true])
    assert.equal((await json([...words, ...flags]))['outcome'], 'unchanged')
    const { addedAt, verifiedAt, ...shown } = await json(['host', 'show', 'db1'])
    assert.deepEqual([typeof addedAt, typeof verifiedAt], ['string', 'string'])
    assert.deepEqual(shown, {
      name: 'db1',
      role: 'database',
      address: server.address,
      port: server.port,
      username: 'root',
      hostKey: server.hostKey,
      location: 'hall 1',
      stanza: 'main',
      postgresql: { port: 5432, dataDirectory: '/var/lib/postgresql/15/main' },
      snapshot: { driver: 'btrfs', directory: '/btrfs/snap' },
      basebackup: null,
      identity: hostKeyOfFile(`${key}.pub`).fingerprint,
    })
    const { rows } = await fresh.database.query<{ text: string }>(
      `select string_agg(text, '') as text from (
         select host::text from cleverctl.host union all select step::text from cleverctl.trail as step) as all_rows (text)`,
    )
    const [, secret = ''] = readFileSync(key, 'utf8').split('\n')
    assert.ok(secret.length > 60)
    assert.ok(!(rows[0]?.text ?? secret).includes(secret))
  })

  it('add replaces other facts only when told to', async () => {
    await json(add('db2', ...DATABASE))
    const moved = add('db2', ...DATABASE.with(5, 'hall 2'))
    assert.equal((await json(moved, conflict)).error.code, 'host-exists')
    assert.equal((await json([...moved, '--replace']))['outcome'], 'replaced')
    assert.deepEqual(await trail('db2'), ['host.add', 'host.replace'])
  })

  it('add records nothing that it did not see to work', async () => {
    const stranger = makeKey(home, 'stranger')
    const fingerprint = hostKeyOfFile(`${stranger}.pub`).fingerprint
    const plain = ['host', 'add', 'db9', ...DATABASE]
    const pinned = ['--host-key', server.hostKey.fingerprint]
    const cases: [string[], number, string][] = [
      [[...plain, ...at(server), ...pinned, '--identity', stranger], refused, 'ssh-login-refused'],
      [
        [...plain, ...at(server), '--host-key', fingerprint, '--identity', key],
        conflict,
        'host-key-changed',
      ],
      [
        [...plain, '--address', '127.0.0.1', '--port', '1', ...pinned, '--identity', key],
        unreachable,
        'ssh-unreachable',
      ],
      [[...plain, ...at(server), '--identity', key], usage, 'missing-flag'],
      [add('db9', '--role', 'database'), usage, 'missing-flag'],
      [add('bak9', '--role', 'backup', '--data-directory', '/data'), usage, 'surplus-flag'],
      [add('DB9', ...DATABASE), usage, 'bad-name'],
      [add('db9', ...DATABASE.with(7, '/data; reboot')), usage, 'bad-directory'],
      [add('db9', ...DATABASE.with(7, '/data/../etc')), usage, 'bad-directory'],
      [add('db9', ...DATABASE, '--stanza', '$(id)'), usage, 'bad-stanza'],
      [add('db9', ...DATABASE.with(5, 'a\nb')), usage, 'bad-location'],
      [
        add(
          'db9',
          ...DATABASE,
          '--snapshot-driver',
          'btrfs',
          '--snapshot-directory',
          '/var/lib/postgresql/15/main/snap',
        ),
        usage,
        'nested-directory',
      ],
    ]
    for (const [words, code, word] of cases)
      assert.equal((await json(words, code)).error.code, word, words.join(' '))
    await json(['host', 'show', 'db9'], notFound)
    assert.deepEqual(await trail('db9'), [])
  })

  it('add takes an encrypted key and keeps what opens it', async () => {
    const path = makeKey(home, 'locked', 'ed25519', 'open sesame')
    const locked = await startSshd({ keys: [path] })
    try {
      const words = ['host', 'add', 'bak2', ...at(locked), '--role', 'backup', '--username', 'root']
      const pin = ['--host-key', locked.hostKey.fingerprint]
      writeFileSync(join(home, 'passphrase'), 'open sesame\n', { mode: 0o600 })
      const flags = ['--identity', path, '--passphrase-file', 'passphrase']
      await json([...words, ...pin, ...flags])
      rmSync(path)
      const { outcome, verified } = await json(['host', 'rekey', 'bak2', ...pin])
      assert.deepEqual([outcome, verified], ['unchanged', true])
    } finally {
      await locked.stop()
    }
  })

  it('rekey pins a new host key when the recorded login works there', async () => {
    const before = await startSshd({ keys: [key] })
    const flags = ['--role', 'backup', '--username', 'root', '--identity', key]
    await json([
      'host',
      'add',
      'bak3',
      ...at(before),
      '--host-key',
      before.hostKey.fingerprint,
      ...flags,
    ])
    await before.stop()
    const { address, port } = before
    const after = await startSshd({ keys: [key], address, port })
    try {
      const rekey = (to: SshServer) => [
        'host',
        'rekey',
        'bak3',
        '--host-key',
        to.hostKey.fingerprint,
      ]
      assert.equal((await json(rekey(before), conflict)).error.code, 'host-key-changed')
      const { outcome, former, hostKey } = await json(rekey(after))
      assert.deepEqual([outcome, former, hostKey], ['rekeyed', before.hostKey, after.hostKey])
    } finally {
      await after.stop()
    }
    // Another machine answers there that does not know the recorded key.
    const stranger = await startSshd({ keys: [makeKey(home, 'unknown')], address, port })
    try {
      const words = ['host', 'rekey', 'bak3', '--host-key', stranger.hostKey.fingerprint]
      assert.equal((await json(words, refused)).error.code, 'ssh-login-refused')
      assert.deepEqual((await json(['host', 'show', 'bak3']))['hostKey'], after.hostKey)
    } finally {
      await stranger.stop()
    }
    assert.deepEqual(await trail('bak3'), ['host.add', 'host.rekey'])
  })

  it('remove erases the key, and the name can be given again', async () => {
    await json(add('db4', ...DATABASE))
    await json(['host', 'remove', 'db4'], usage)
    await json(['host', 'remove', 'db4', '--yes'])
    await json(['host', 'remove', 'db4', '--yes'], notFound)
    const { rows } = await fresh.database.query(
      `select sealed from cleverctl.host where name = 'db4'`,
    )
    assert.deepEqual(rows, [{ sealed: null }])
    assert.equal((await json(add('db4', ...DATABASE)))['outcome'], 'added')
    const { hosts } = (await json(['host', 'list', '--role', 'database'])) as unknown as {
      hosts: { name: string }[]
    }
    assert.deepEqual(
      hosts.map(({ name }) => name),
      ['db1', 'db2', 'db4'],
    )
  })
})
