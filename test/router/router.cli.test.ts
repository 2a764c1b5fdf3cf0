import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ExitCode } from '../../src/lib/errors.js'
import type { HostKey } from '../../src/lib/ssh/types.js'
import { runCli, runCliTty, type CliOptions } from '../support/cli.js'
import { freshDatabase, type FreshDatabase } from '../support/database.js'
import {
  canServeSsh,
  hostKeyOfFile,
  makeKey,
  PASSWORD,
  startDropbear,
  startSshd,
  type SshServer,
} from '../support/ssh.js'

const { ok, usage, partial, refused, notFound, conflict, unreachable } = ExitCode

interface Shown {
  verifiedAt: string | null
  hostKey: HostKey
  jumps: { address: string; hostKey: HostKey }[]
  credentials: { kind: string; version: number; state: string; name: string }[]
}

describe('cleverctl router', function () {
  let fresh: FreshDatabase
  let home: string
  let router: SshServer
  let bastion: SshServer
  let key: string
  let number = 0

  before(async function () {
    if (!canServeSsh()) return this.skip()
    fresh = await freshDatabase()
    home = mkdtempSync(join(tmpdir(), 'cctl-router-'))
    router = await startDropbear({ address: '127.0.1.42' })
    key = makeKey(home, 'fleet')
    bastion = await startSshd({ keys: [key] })
    await fresh.database.query(
      `insert into cleverctl.installation (code, name, timezone, latitude, longitude)
       select 'solar-' || n, 'Almeria', 'Europe/Madrid', 36.84, -2.46 from generate_series(1, 40) as n`,
    )
    await run(['init', '--yes'])
  })
  after(async () => {
    await router?.stop()
    await bastion?.stop()
    await fresh?.drop()
    if (home !== undefined) rmSync(home, { recursive: true, force: true })
  })

  const options = (more: CliOptions = {}): CliOptions => ({
    home,
    cwd: home,
    ...more,
    env: { CLEVERCTL_DATABASE_URL: fresh.url, ...more.env },
  })
  const run = (words: readonly string[], more: CliOptions = {}) => runCli(words, options(more))
  /** Runs a command that must end with `code`. @returns its document */
  const json = async (words: readonly string[], code: number = ok, more: CliOptions = {}) => {
    const result = await run([...words, '--json'], more)
    assert.equal(result.code, code, result.stdout + result.stderr)
    return result.json() as Record<string, unknown> & { error: { code: string } }
  }
  const file = (name: string, text: string): string => {
    writeFileSync(join(home, name), text, { mode: 0o600 })
    return join(home, name)
  }
  const passwordFile = (text = PASSWORD) => file('password.txt', `${text}\n`)
  const nextInstallation = () => `solar-${(number += 1)}`
  const addWords = (installation: string, server: SshServer, ...more: string[]): string[] => [
    ...['router', 'add', installation, '--driver', 'openwrt'],
    ...['--address', server.address, '--port', String(server.port), ...more],
  ]
  const pinned = (server: SshServer, password = PASSWORD): string[] => [
    ...['--host-key', server.hostKey.fingerprint, '--password-file', passwordFile(password)],
  ]
  const show = async (installation: string): Promise<Shown> =>
    (await json(['router', 'show', installation])) as unknown as Shown
  const trail = async (installation: string): Promise<string[]> => {
    const { rows } = await fresh.database.query<{ action: string }>(
      'select action from cleverctl.trail where subject = $1 order by seq',
      [installation],
    )
    return rows.map(({ action }) => action)
  }

  it('add records a router after it was opened, once, and reveal gives the password back', async () => {
    const installation = nextInstallation()
    const words = addWords(installation, router, ...pinned(router))
    const wifi = ['--ssid', 'CLV-1', '--wifi-password-file', file('wifi.txt', 'pass phrase\n')]
    const added = await json([...words, ...wifi])
    assert.deepEqual(
      [added['outcome'], added['verified'], added['hostKey']],
      ['added', true, router.hostKey],
    )
    assert.equal((await json([...words, ...wifi]))['outcome'], 'unchanged')
    const { verifiedAt, credentials } = await show(installation)
    assert.ok(verifiedAt)
    assert.deepEqual(
      credentials.map(({ kind, version, state, name }) => [kind, version, state, name]),
      [
        ['admin', 1, 'CURRENT', 'root'],
        ['wifi', 1, 'CURRENT', 'CLV-1'],
      ],
    )
    for (const [what, secret] of [
      ['admin', PASSWORD],
      ['wifi', 'pass phrase'],
    ]) {
      const output = join(home, `${installation}-${what}.txt`)
      const reveal = ['router', 'reveal', installation, '--what', what ?? '', '--reason', 'visit']
      await json([...reveal, '--output', output])
      assert.equal(readFileSync(output, 'utf8'), `${secret}\n`)
      assert.equal(statSync(output).mode & 0o777, 0o600)
      // Not in the trail: nothing was given away.
      const { error } = await json([...reveal, '--output', output], conflict)
      assert.equal(error.code, 'file-exists')
      const withheld = await run(reveal)
      assert.deepEqual([withheld.code, withheld.stdout], [usage, ''])
      const revealed = await json([...reveal, '--reveal'])
      assert.equal(revealed['secret'], secret)
    }
    assert.deepEqual(await trail(installation), [
      'router.add',
      ...Array.from({ length: 4 }, () => 'router.reveal'),
    ])
    const { rows } = await fresh.database.query<{ text: string }>(
      `select string_agg(text, '') as text from (
         select credential::text from cleverctl.router_credential as credential
         union all select step::text from cleverctl.trail as step) as all_rows (text)`,
    )
    assert.doesNotMatch(rows[0]?.text ?? '', /pass phrase|correct/)
  })

  it('add records nothing that it did not see to work', async () => {
    const installation = nextInstallation()
    const other = hostKeyOfFile(`${makeKey(home, `other-${installation}`)}.pub`).fingerprint
    const password = ['--password-file', passwordFile()]
    const gone = { ...router, port: 1 }
    const cases: [string[], number, string, SshServer?][] = [
      [[...password, '--host-key', router.hostKey.fingerprint], refused, 'ssh-login-refused'],
      [[...password, '--host-key', other], conflict, 'host-key-changed'],
      [pinned(router), unreachable, 'ssh-unreachable', gone],
      // Nobody can be asked about the key.
      [password, usage, 'missing-flag'],
      [[...password, '--host-key', 'MD5:aa'], usage, 'bad-fingerprint'],
      [['--offline', ...password], usage, 'missing-flag'],
    ]
    for (const [flags, code, word, server = router] of cases) {
      passwordFile(word === 'ssh-login-refused' ? 'not the password' : PASSWORD)
      const { error } = await json(addWords(installation, server, ...flags), code)
      assert.equal(error.code, word)
    }
    await json(['router', 'show', installation], notFound)
    assert.deepEqual(await trail(installation), [])
  })

  it('add asks in a terminal whether the host key is right', async () => {
    for (const [answer, code] of [
      ['n\r', 130],
      ['y\r', ok],
    ] as const) {
      const installation = nextInstallation()
      const words = addWords(installation, router, '--password-file', passwordFile())
      const answers = [{ expect: /Is it the right one\?/, send: answer }]
      const { code: seen, stdout } = await runCliTty(words, { ...options(), answers, columns: 200 })
      assert.equal(seen, code, stdout)
      assert.ok(stdout.includes(router.hostKey.fingerprint), stdout)
      await json(['router', 'show', installation], code === ok ? ok : notFound)
    }
  })

  it('add takes an encrypted identity and keeps what opens it', async () => {
    const installation = nextInstallation()
    const path = makeKey(home, 'locked', 'ed25519', 'open sesame')
    const server = await startSshd({ keys: [path] })
    try {
      const flags = ['--host-key', server.hostKey.fingerprint, '--identity', path]
      const words = addWords(installation, server, ...flags)
      const missing = await json(words, usage)
      assert.equal(missing.error.code, 'missing-flag')
      const passphrase = file('passphrase.txt', 'open sesame\n')
      await json([...words, '--passphrase-file', passphrase])
      // Only what is recorded opens it now.
      rmSync(path)
      const rekey = ['router', 'rekey', installation, '--host-key', server.hostKey.fingerprint]
      const { verified, outcome } = await json(rekey)
      assert.deepEqual([verified, outcome], [true, 'unchanged'])
    } finally {
      await server.stop()
    }
  })

  it('add refuses a key file that others can read', async () => {
    const path = makeKey(home, 'exposed')
    writeFileSync(`${path}.open`, readFileSync(path), { mode: 0o644 })
    const flags = ['--host-key', router.hostKey.fingerprint, '--identity', `${path}.open`]
    const { error } = await json(addWords('solar-40', router, ...flags), usage)
    assert.equal(error.code, 'exposed-file')
  })

  it('add goes by jump hosts, by flags and by the ssh configuration', async () => {
    const env = { CLEVERCTL_SSH_IDENTITY: key }
    const jump = `root@127.0.0.1:${bastion.port}=${bastion.hostKey.fingerprint}`
    const byFlag = nextInstallation()
    await json(addWords(byFlag, router, ...pinned(router), '--jump', jump), ok, { env })
    const config = file(
      'ssh_config',
      `Match exec "touch ${home}/executed"
  Port 1
Host plant
  HostName ${router.address}
  Port ${router.port}
  User root
  ProxyJump bastion
Host bastion
  HostName 127.0.0.1
  Port ${bastion.port}
`,
    )
    const byConfig = nextInstallation()
    const words = ['router', 'add', byConfig, '--driver', 'openwrt', '--address', 'plant']
    const flags = [...pinned(router), '--ssh-config', config]
    // The jump host's key is asked for as well, and nobody is there.
    await json([...words, ...flags], usage, { env })
    const named = ['--jump', `bastion=${bastion.hostKey.fingerprint}`]
    await json([...words, ...flags, ...named], ok, { env })
    for (const installation of [byFlag, byConfig]) {
      const { jumps } = await show(installation)
      assert.deepEqual(jumps, [
        { address: '127.0.0.1', port: bastion.port, username: 'root', hostKey: bastion.hostKey },
      ])
      const rekey = ['router', 'rekey', installation, '--host-key', router.hostKey.fingerprint]
      assert.equal((await json(rekey, ok, { env }))['verified'], true)
      assert.equal((await json(rekey, usage)).error.code, 'no-agent')
    }
    assert.throws(() => statSync(join(home, 'executed')))
  })

  it('add says how many routers share a secret, and --replace keeps the versions', async () => {
    const [one, two] = [nextInstallation(), nextInstallation()]
    const offline = ['--offline', '--host-key', router.hostKey.fingerprint, '--password-file']
    const add = (installation: string, password: string, ...more: string[]) =>
      addWords(installation, router, ...offline, passwordFile(password), ...more)
    await json(add(one, 'shared password'))
    const shared = await json(add(two, 'shared password'))
    assert.deepEqual([shared['sharedWith'], shared['verified']], [1, false])
    assert.equal((await json(add(two, 'own password'), conflict)).error.code, 'router-exists')
    const replaced = await json(add(two, 'own password', '--replace'))
    assert.deepEqual([replaced['outcome'], replaced['sharedWith']], ['replaced', 0])
    const { credentials } = await show(two)
    assert.deepEqual(
      credentials.map(({ version, state }) => [version, state]),
      [
        [2, 'CURRENT'],
        [1, 'RETIRED'],
      ],
    )
  })

  it('rekey pins a new host key when the recorded credential opens its holder', async () => {
    const installation = nextInstallation()
    const before = await startDropbear({ address: '127.0.1.43' })
    await json(addWords(installation, before, ...pinned(before)))
    await before.stop()
    const { address, port } = before
    const after = await startDropbear({ address, port })
    const stranger = await startDropbear({ address: '127.0.1.44', port, password: 'another' })
    try {
      const rekey = (server: SshServer) =>
        ['router', 'rekey', installation, '--host-key'].concat(server.hostKey.fingerprint)
      assert.equal((await json(rekey(before), conflict)).error.code, 'host-key-changed')
      const { outcome, former, hostKey } = await json(rekey(after))
      assert.deepEqual([outcome, former, hostKey], ['rekeyed', before.hostKey, after.hostKey])
      const words = addWords(installation, stranger, '--replace', '--offline', ...pinned(after))
      await json(words)
      assert.equal((await json(rekey(stranger), refused)).error.code, 'ssh-login-refused')
      assert.deepEqual((await show(installation)).hostKey, after.hostKey)
      assert.deepEqual(await trail(installation), ['router.add', 'router.rekey', 'router.replace'])
    } finally {
      await after.stop()
      await stranger.stop()
    }
  })

  it('remove erases what was sealed, and the installation takes another router', async () => {
    const installation = nextInstallation()
    const words = addWords(installation, router, ...pinned(router))
    await json(words)
    await json(['router', 'remove', installation], usage)
    await json(['router', 'remove', installation, '--yes'])
    await json(['router', 'remove', installation, '--yes'], notFound)
    const { rows } = await fresh.database.query(
      `select sealed, state from cleverctl.router_credential join cleverctl.router on router.id = router_id
       join cleverctl.installation on installation.id = installation_id where code = $1`,
      [installation],
    )
    assert.deepEqual(rows, [{ sealed: null, state: 'RETIRED' }])
    assert.equal((await json(words))['outcome'], 'added')
  })

  it('import records what it can open, and repeats no password of what it cannot', async () => {
    const [good, wrong, changed, bad] = [1, 2, 3, 4].map(nextInstallation)
    const { address, port, hostKey } = router
    const row = (installation: string | undefined, password: string, pin = hostKey.fingerprint) =>
      `${installation},openwrt,${address},"${password.replaceAll('"', '""')}",${pin},${port},,,\n`
    const header = 'installation,driver,address,password,hostKey,port,username,ssid,wifiPassword\n'
    const text =
      header +
      row(good, PASSWORD) +
      row(wrong, 'wrong-secret-1') +
      row(changed, 'wrong-secret-2', bastion.hostKey.fingerprint) +
      row(bad, 'wrong-secret-3', '') +
      row('solar-none', 'wrong-secret-4')
    const list = file('routers.csv', text)
    writeFileSync(join(home, 'open.csv'), text, { mode: 0o644 })
    assert.equal((await json(['router', 'import', 'open.csv'], usage)).error.code, 'exposed-file')
    const result = await json(['router', 'import', list], partial)
    assert.deepEqual([result['imported'], result['rejected']], [1, 4])
    assert.deepEqual(
      (result['rejects'] as { code: string }[]).map(({ code }) => code),
      ['ssh-login-refused', 'host-key-changed', 'missing-field', 'installation-not-found'],
    )
    const told = JSON.stringify(result) + readFileSync(`${list}.rejects.csv`, 'utf8')
    assert.doesNotMatch(told, /wrong-secret/)
    const again = await json(['router', 'import', list], partial)
    assert.deepEqual([again['imported'], again['unchanged']], [0, 1])
    const { routers } = (await json(['router', 'list', '--limit', '1000'])) as unknown as {
      routers: { installation: string }[]
    }
    assert.ok(routers.some(({ installation }) => installation === good))
    assert.ok(!routers.some(({ installation }) => installation === wrong))
  })
})
