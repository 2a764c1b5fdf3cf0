import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createPrivateKey, randomBytes } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import limit from 'p-limit'
import { systemRandom } from '../src/lib/clock.js'
import type { State } from '../src/lib/database/embedded/state.js'
import { ExitCode } from '../src/lib/errors.js'
import { KeySet } from '../src/lib/keyring/key-set.js'
import { openKeyFile } from '../src/lib/keyring/open.js'
import { Secret } from '../src/lib/secret.js'
import type { ShownCa } from '../src/lib/access/ca/types.js'
import { sealIdentity } from '../src/lib/signing-key/generate.js'
import { runCli, runCliTty, type CliOptions, type CliResult } from './support/cli.js'
import { trustClients } from './support/client-ca.js'
import { openUrl } from './support/database.js'
import { EmbeddedHome } from './support/embedded.js'
import { spawnGate } from './support/gate.js'
import { until } from './support/until.js'
import { type Answer, type Ask } from './support/gate-client.js'
import { manifestCommands, type ManifestCommand } from './support/manifest.js'
import { ProcessList } from './support/process-list.js'
import { scenarios } from './support/scenarios/all.js'
import { Stands } from './support/scenarios/stands.js'
import { wordsOf, type Line } from './support/scenarios/types.js'
import { SecretSearch } from './support/secret-search.js'
import { freePort } from '../src/lib/free-port.js'
import { startServer, type ServerRole, type TestServer } from './support/server.js'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const marker = (name: string) => `${name}-${randomBytes(12).toString('hex')}`

/** What only a secret looks like; anybody may look for these without knowing one. */
const LOOKS_LIKE_A_SECRET = {
  'an API key': /clv_(?:live|test)_\w{8}_\w{43}_\w{6}/,
  'a token': /\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}/,
  'a hash of a password': /\$argon2/,
  'a private key': /PRIVATE KEY|"d"\s*:\s*"[\w-]{43}"/,
}
/** A device's secret, with its prefix or without; other things are as long: a coordinate of a public key, a salted hash, a fingerprint, a SCRAM verifier, a piece of a certificate or of its public key. */
const DEVICE_SECRET = /clvd_[\w-]{43}_\w{6}|(?<![\w-])[\w-]{43}(?![\w-])/
const NO_SECRET =
  /SCRAM-SHA-256\$\d+:[\w+/=]+\$[\w+/]{43}=:[\w+/]{43}=|\\?"[xy]\\?"\s*:\s*\\?"[\w-]{43}|\$argon2id\$[\w=,$+/]+|SHA256:[\w+/]{43}|-----BEGIN (?:CERTIFICATE|X509 CRL)-----[^]*?-----END|MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE[\w+/]+/g

/** What a production server may be told to write down, all of it at once. */
const LOG_SETTINGS = {
  log_statement: 'all',
  log_min_duration_statement: '0',
  log_parameter_max_length: '-1',
  log_parameter_max_length_on_error: '-1',
  log_error_verbosity: 'verbose',
  log_connections: 'on',
  log_disconnections: 'on',
}

/** The ways of running a command, each with another way of handing over the password. */
const MODES = {
  'in words': { flags: [], env: {}, login: 'url' },
  'as JSON, with --verbose': { flags: ['--json', '--verbose'], env: {}, login: 'PGPASSWORD' },
  'with --verbose and DEBUG=*': { flags: ['--verbose'], env: { DEBUG: '*' }, login: 'url file' },
} as const
type Login = (typeof MODES)[keyof typeof MODES]['login']

describe('secrets', () => {
  const search = new SecretSearch()
  const processes = new ProcessList()
  /** Everything that came out of a command or a gate, and is no secret's proper way out. */
  const outputs: { what: string; text: string }[] = []
  let server: TestServer
  let folder: string
  let stands: Stands
  let logBegin: number

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cctl-leak-'))
    server = await startServer()
    for (const [name, value] of Object.entries(LOG_SETTINGS)) {
      await server.administer(`alter system set ${name} = '${value}'`)
    }
    await server.administer('select pg_reload_conf()')
    await until(async () => {
      const { rows } = await server.administer('show log_statement')
      return (rows[0] as { log_statement: string }).log_statement === 'all'
    })
    // What stands before made the roles, with their passwords.
    logBegin = statSync(server.cluster.logFile).size
    search.add('a password of the database', password('staff'), password('owner'), password('gate'))
    search.add('the keyring passphrase', secretFile('passphrase.txt', marker('passphrase')))
    processes.start()
    const run = async (words: readonly string[], role?: 'owner') => {
      const line = role === undefined ? {} : { line: { code: 0, role } }
      const result = await run1(words, { login: 'url', ...line })
      assert.equal(result.code, 0, result.stdout + result.stderr)
    }
    await run(['init', '--keyring', 'passphrase', '--yes'])
    const look = (statement: string) => server.administer(statement)
    stands = await Stands.prepare({ folder: join(folder, 'files'), count: 1000, look, run })
  })

  after(async () => {
    processes.stop()
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const password = (role: ServerRole): string => new URL(server.url(role)).password

  /** A file that holds a secret; gives the secret. */
  function secretFile(name: string, text: string): string {
    writeFileSync(join(folder, name), `${text}\n`, { mode: 0o600 })
    return text
  }

  /** The environment that names the database and holds its password. */
  function environment(login: Login, role: ServerRole, isWrong = false): Record<string, string> {
    const wrong = marker('wrong-password')
    if (isWrong) search.add('a wrong password of the database', wrong)
    const right = server.url(role)
    const url = isWrong ? right.replace(password(role), wrong) : right
    const common = { CLEVERCTL_KEYRING_PASSPHRASE_FILE: join(folder, 'passphrase.txt') }
    if (login === 'url') return { ...common, CLEVERCTL_DATABASE_URL: url }
    if (login === 'url file') {
      const file = `${marker('url')}.txt`
      secretFile(file, url)
      return { ...common, CLEVERCTL_DATABASE_URL_FILE: join(folder, file) }
    }
    const { PGPASSFILE: _, ...rest } = server.environment(role)
    return { ...common, ...rest, PGPASSWORD: isWrong ? wrong : password(role) }
  }

  /** Runs a command and keeps what it said. */
  async function run1(
    words: readonly string[],
    given: CliOptions & { login: Login; line?: Line },
  ): Promise<CliResult> {
    const { login, line, env, ...options } = given
    const home = join(folder, 'home')
    mkdirSync(home, { recursive: true, mode: 0o700 })
    const faults = line?.fault === 'keyring' ? { CLEVERCTL_KEYRING_FILE: join(folder, 'none') } : {}
    const access = environment(login, line?.role ?? 'staff', line?.fault === 'login')
    const all = { ...access, ...faults, ...env }
    const result = await runCli(words, { home, cwd: folder, env: all, ...options })
    keep(words.join(' '), result)
    return result
  }

  function keep(what: string, { stdout, stderr }: Pick<CliResult, 'stdout' | 'stderr'>): void {
    outputs.push(
      { what: `stdout of ${what}`, text: stdout },
      { what: `stderr of ${what}`, text: stderr },
    )
  }

  /** Runs both lines of a scenario in one mode. @returns what came out otherwise than it should */
  async function play(command: ManifestCommand, mode: keyof typeof MODES): Promise<string[]> {
    const { flags, env, login } = MODES[mode]
    const scenario = scenarios[command.id]?.(stands.next())
    assert.ok(scenario)
    const wrong: string[] = []
    for (const line of [scenario.succeeds, scenario.fails]) {
      const [first = '', ...rest] = wordsOf(command, line)
      const nouns = command.id.split(':').length - 1
      const words = [first, ...rest.slice(0, nouns), ...flags, ...rest.slice(nouns)]
      const { code, stdout, stderr } = await run1(words, { login, line, env })
      if (code !== line.code) wrong.push(`${code} ${words.join(' ')}: ${stdout}${stderr}`)
    }
    return wrong
  }

  it('every command has a scenario', () => {
    assert.deepEqual(
      Object.keys(scenarios).sort(),
      manifestCommands()
        .map(({ id }) => id)
        .sort(),
    )
  })

  for (const mode of Object.keys(MODES) as (keyof typeof MODES)[]) {
    it(`every command, ${mode}`, async () => {
      const atOnce = limit(4)
      const kinds = manifestCommands().map((command) => {
        const { isSpecial, isAlone } = scenarios[command.id]?.(stands.next()) ?? {}
        return { command, kind: isSpecial ? 'special' : isAlone ? 'alone' : 'usual' }
      })
      const of = (wanted: string) => kinds.filter(({ kind }) => kind === wanted)
      const wrong = await Promise.all(
        of('usual').map(({ command }) => atOnce(() => play(command, mode))),
      )
      for (const { command } of of('alone')) {
        await noteKeys()
        wrong.push(await play(command, mode))
      }
      await noteKeys()
      assert.deepEqual(wrong.flat(), [])
    })
  }

  /** Opens the keyring and with it the signing keys, to know what must be seen nowhere. */
  async function noteKeys(): Promise<void> {
    const file = join(folder, 'home', 'keyring.json')
    const passphrase = new Secret(readFileSync(join(folder, 'passphrase.txt'), 'utf8').trim())
    const database = await openUrl(server.url('owner'))
    try {
      const { keys } = await openKeyFile({
        settings: {
          keyring: { provider: 'passphrase', file, isNamed: true, passphraseFile: undefined },
        },
        database,
        askPassphrase: async () => passphrase,
      })
      search.add('a key of the keyring', ...keys.map(({ key }) => key.toString('base64url')))
      const keyring = new KeySet(keys, keys[0]?.id ?? '', systemRandom)
      const { rows } = await database.query<{ kid: string; sealed: Buffer }>(
        'select kid, sealed_private as sealed from cleverctl.signing_key where sealed_private is not null',
      )
      assert.ok(rows.length > 0)
      for (const { kid, sealed } of rows) {
        const key = keyring.open(sealed, sealIdentity(kid))
        const { d } = createPrivateKey({ key, format: 'der', type: 'pkcs8' }).export({
          format: 'jwk',
        })
        search.add('a signing key', d ?? '', key.toString('base64'))
      }
    } finally {
      await database.close()
    }
  }

  describe('of commands that need more than a command line', () => {
    const env = { DEBUG: '*' }
    const { usage } = ExitCode

    it('database start and stop, of an embedded database, and its log', async () => {
      const home = new EmbeddedHome()
      try {
        for (const words of [['init'], ['database', 'start'], ['database', 'stop']]) {
          for (const flags of [['--verbose'], ['--json', '--verbose']]) {
            const result = await home.run([...words, ...flags], env)
            assert.equal(result.code, 0, result.stderr)
            keep(words.join(' '), result)
          }
        }
        const { keys } = JSON.parse(readFileSync(join(home.folder, 'keyring.json'), 'utf8')) as {
          keys: { key: string }[]
        }
        const raw = keys.map(({ key }) => Buffer.from(key, 'base64').toString('base64url'))
        search.add('a key of an embedded keyring', ...raw)
        const { stdout } = await home.run(['database', 'status', '--json'])
        const { embedded } = JSON.parse(stdout) as { embedded: { logFile: string } }
        outputs.push({ what: 'the embedded log', text: readFileSync(embedded.logFile, 'utf8') })
      } finally {
        await home.remove()
      }
      for (const verb of ['start', 'stop']) {
        const result = await run1(['database', verb, '--verbose'], { login: 'url', env })
        assert.equal(result.code, usage)
      }
    })

    it('access grant and revoke, with a login that is made and closed', async () => {
      const { number } = stands.next()
      const email = `staff-${number}@example.com`
      const place = encodeURIComponent(server.cluster.socketFolder)
      const dsn = `postgres://postgres@/cleverctl?host=${place}&port=${server.port}`
      const order = ['access', 'grant', email, '--for', '1h', '--reason', 'ticket', '--dsn', dsn]
      const runAs = async (...words: string[]) => {
        const line = { code: 0, role: 'owner' } as const
        const result = await run1([...words, '--verbose'], { login: 'url', line, env })
        assert.equal(result.code, 0, result.stdout + result.stderr)
        return result.stdout
      }
      const shown = await runAs('access', 'ca', 'show', '--json')
      await trustClients(server, JSON.parse(shown) as ShownCa)
      for (const method of [[], ['--certificate']]) {
        const file = join(folder, `granted-secret${method.join()}`)
        await runAs(...order, ...method, '--output', file)
        await runAs('access', 'grants')
        await runAs(...order, ...method, '--output', `${file}-other`)
        await runAs('access', 'revoke', email)
        // A private key of P-256 stands in two lines; the third has the public key alone, as its certificate has.
        const lines = readFileSync(file, 'utf8').split('\n')
        const secret = lines.filter((text) => text !== '' && !text.startsWith('-----')).slice(0, 2)
        assert.ok(secret.length > 0)
        search.add('a granted password or private key', ...secret)
      }
    })

    it('access self-test, whose server knows none of them', async () => {
      const given = { login: 'url', env } as const
      const result = await run1(['access', 'self-test', '--json', '--verbose'], given)
      assert.equal(result.code, 0, result.stdout + result.stderr)
      const failing = await run1(['access', 'self-test', '--nope', '--verbose'], given)
      assert.equal(failing.code, usage)
    })

    it('demo, whose secrets are read out of its files while it plays', async () => {
      const TMPDIR = join(folder, 'demo')
      mkdirSync(TMPDIR)
      const timer = setInterval(() => noteFiles(TMPDIR), 20)
      try {
        const result = await run1(['demo', '--json', '--verbose'], {
          login: 'PGPASSWORD',
          env: { ...env, TMPDIR },
        })
        assert.equal(result.code, 0, result.stdout + result.stderr)
      } finally {
        clearInterval(timer)
      }
      assert.ok(demoSecrets.size > 10, [...demoSecrets].join())
      assert.ok(demoServer !== undefined)
      assert.deepEqual([readdirSync(TMPDIR), existsSync(demoServer)], [[], false], 'what is left')
      search.add('a secret of the demo', ...demoSecrets)
      const failing = await run1(['demo', '--nope', '--verbose'], { login: 'url', env })
      assert.equal(failing.code, usage)
    })

    const demoSecrets = new Set<string>()
    let demoServer: string | undefined

    /** What stands in the files of a demo at this moment; any of them may go while it is looked at. */
    function noteFiles(root: string): void {
      try {
        for (const file of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
          const isSecret = /^[^/]+\/[^/]+\.(?:txt|csv)$/.test(file)
          const isState = file.endsWith('/home/embedded.json')
          if (!isSecret && !isState) continue
          const text = readFileSync(join(root, file), 'utf8').trim()
          const lines = text.split('\n')
          if (isState) demoServer = (JSON.parse(text) as State).place
          else if (file.endsWith('.txt')) for (const line of lines) demoSecrets.add(line)
          else if (file.endsWith('secrets.csv'))
            for (const line of lines.slice(1)) demoSecrets.add(line.split(',')[1] ?? '')
        }
      } catch {
        // It was there a moment ago.
      }
      demoSecrets.delete('')
    }

    it('a question in a terminal shows nothing of the password that is typed', async () => {
      const typed = marker('typed password')
      search.add('a typed password', typed)
      const args = ['installer', 'add', 'typed@example.com', '--name', 'Typed', '--verbose']
      const answers = [
        { expect: /Password/, send: `${typed}\r` },
        { expect: /again/, send: `${typed}\r` },
      ]
      const home = join(folder, 'home')
      const options = { home, env: { ...environment('url', 'staff'), ...env }, answers }
      const result = await runCliTty(args, options)
      assert.equal(result.code, 0, result.stdout)
      keep(args.join(' '), { stdout: result.raw, stderr: '' })
    })

    it('--reveal gives the secret to stdout, once, and to nothing else', async () => {
      const { bareInstallation, number } = stands.next()
      for (const [words, field] of [
        [['api-key', 'issue', bareInstallation], 'apiKey'],
        [['token', 'issue', `CDX-${number}`], 'token'],
        [['device', 'rotate-secret', `CDX-${number}`], 'secret'],
      ] as const) {
        const { stdout, stderr, code } = await runCli(
          [...words, '--reveal', '--json', '--verbose'],
          {
            home: join(folder, 'home'),
            env: { ...environment('url', 'staff'), ...env },
          },
        )
        assert.equal(code, 0, stderr)
        const secret = (JSON.parse(stdout) as Record<string, string>)[field] ?? ''
        search.add('a revealed secret', secret)
        assert.equal(stdout.split(secret).length, 2)
        keep(words.join(' '), { stdout: stdout.replace(secret, ''), stderr })
      }
    })

    it('a new secret that has nowhere to go is not shown', async () => {
      const { bareInstallation, number } = stands.next()
      for (const words of [
        ['api-key', 'issue', bareInstallation],
        ['token', 'issue', `CDX-${number}`],
        ['device', 'rotate-secret', `CDX-${number}`],
        ['device', 'register', `NEW-${number}`],
      ]) {
        for (const flags of [[], ['--json']]) {
          const { stdout, stderr } = await run1([...words, ...flags], { login: 'url', env })
          assert.doesNotMatch(stdout + stderr.replaceAll(/^.*oclif.*$/gm, ''), DEVICE_SECRET)
        }
      }
    })
  })

  describe('that were put into the wrong place', () => {
    it('are not repeated by any message', async () => {
      const secret = marker('misplaced')
      const own = new SecretSearch()
      own.add('a misplaced secret', secret)
      for (const words of [
        ['token', 'inspect', secret],
        ['token', 'inspect', `--token=${secret}`],
        ['installer', 'add', 'x@example.com', `--password=${secret}`],
        ['installer', 'add', 'x@example.com', '--name', 'X', '-p', secret],
        ['api-key', 'revoke', 'solar-1000', `--key=${secret}`, '--all', '--reason', 'x'],
        ['device', 'list', `--state=${secret}`],
        ['device', 'list', `--limit=${secret}`],
        ['gate', 'serve', `--port=${secret}`],
        ['gate', 'refusals', `--since=${secret}`],
        ['status', `--database-url=postgres://staff:${secret}@localhost/cleverctl`],
        ['status', `--database-url=postgres://localhost/cleverctl?password=${secret}`],
        [secret],
      ]) {
        for (const flags of [['--verbose'], ['--json', '--verbose']]) {
          const { code, stdout, stderr } = await runCli([...words, ...flags])
          assert.ok(code !== 0)
          const seen = `${words[0]} ${words[1]}: ${stdout}${stderr}`
          if (words.length > 1) assert.deepEqual(own.find(stdout + stderr), [], seen)
        }
      }
    })
  })

  it('that arrive at a gate, right and wrong and in every wrong place', async () => {
    const home = join(folder, 'gate-home')
    mkdirSync(home, { mode: 0o700 })
    copyFileSync(join(folder, 'home', 'config.json'), join(home, 'config.json'))
    const metricsPort = await freePort()
    const gate = await spawnGate({
      home,
      env: {
        ...environment('PGPASSWORD', 'gate'),
        CLEVERCTL_KEYRING_FILE: join(folder, 'home', 'keyring.json'),
        DEBUG: '*',
      },
      args: ['--verbose', '--no-limits', '--metrics-port', String(metricsPort)],
    })
    const answers: Answer[] = []
    const ask = async (what: Ask) => {
      const answer = await gate.client.ask(what)
      answers.push(answer)
      return answer
    }
    try {
      await askEverything(ask)
      await askWrongly(ask)
      outputs.push({
        what: 'metrics',
        text: await textOf(`http://127.0.0.1:${metricsPort}/metrics`),
      })
    } finally {
      assert.equal(await gate.end('SIGTERM'), 143)
    }
    keep('gate serve', { stdout: gate.stdout(), stderr: gate.stderr() })
    const pem = readFileSync(join(home, 'gate', 'self-signed.pem'), 'utf8')
    const lines = /PRIVATE KEY-+\n([\s\S]+?)\n-/.exec(pem)?.[1]?.split('\n') ?? []
    assert.ok(lines.length > 0)
    search.add('the key of a certificate', ...lines.filter((line) => line.length > 16))
    for (const { text } of answers) outputs.push({ what: 'an answer of the gate', text })
    assert.match(gate.stderr(), /"event":"arrival.refused"/)
    const refused = await run1(['gate', 'serve', '--verbose'], { login: 'url' })
    assert.equal(refused.code, ExitCode.usage)
  })

  /** A person installs a device and it sends: every secret goes where it belongs. */
  async function askEverything(ask: (what: Ask) => Promise<Answer>): Promise<void> {
    const stand = stands.next()
    const { installation, email, path } = stand
    for (const words of [
      [
        'installer',
        'reset-password',
        email,
        '--password-file',
        stand.file('password.txt', stand.password),
      ],
      ['api-key', 'rotate', installation, '--output', path('key.txt')],
      ['device', 'register', 'CDX-000123', '--secrets-out', path('secrets.csv')],
    ]) {
      const result = await run1(words, { login: 'url' })
      assert.equal(result.code, 0, result.stderr)
    }
    const apiKey = readFileSync(path('key.txt'), 'utf8').trim()
    const secret =
      /,(.+)/.exec(readFileSync(path('secrets.csv'), 'utf8').split('\n')[1] ?? '')?.[1] ?? ''
    const login = await tokenOf(ask, {
      path: '/v1/app/login',
      body: { email, password: stand.password },
    })
    const place = { path: '/v1/app/placements', body: { serial: 'CDX-000123', installation } }
    assert.equal(
      (await ask({ ...place, headers: { authorization: `Bearer ${login}` } })).status,
      201,
    )
    const headers = { 'x-api-key': apiKey }
    const token = await tokenOf(ask, {
      path: '/v1/token',
      headers,
      body: { serial: 'CDX-000123', secret },
    })
    const readings = [{ at: new Date().toISOString(), values: { powerW: 1 } }]
    const data = { path: '/v1/data', body: { readings } }
    const both = { ...headers, authorization: `Bearer ${token}` }
    assert.equal((await ask({ ...data, headers: both })).status, 202)
    assert.equal((await ask({ path: '/v1/authorize', headers: both })).status, 204)
    sent = { apiKey, secret, token, login, password: stand.password, email }
  }

  let sent: Record<'apiKey' | 'secret' | 'token' | 'login' | 'password' | 'email', string>

  /** Asks for a token and takes it out of the answer, which is its proper way. */
  async function tokenOf(ask: (what: Ask) => Promise<Answer>, what: Ask): Promise<string> {
    const answer = await ask(what)
    assert.equal(answer.status, 200, answer.text)
    const token = String(answer.body.token)
    search.add('a token', token)
    answer.text = answer.text.replace(token, '')
    return token
  }

  /** The same secrets, and wrong ones, where they do not belong. */
  async function askWrongly(ask: (what: Ask) => Promise<Answer>): Promise<void> {
    const { apiKey, secret, token, login, password, email } = sent
    const wrong = marker('wrong-secret')
    search.add('a wrong secret', wrong)
    const key = { 'x-api-key': apiKey }
    const bearer = (text: string) => ({ authorization: `Bearer ${text}` })
    const almost = `${apiKey.slice(0, -1)}${apiKey.endsWith('0') ? '1' : '0'}`
    search.add('a wrong key', almost)
    const requests: Ask[] = [
      { path: '/v1/app/login', body: { email, password: wrong } },
      { path: '/v1/app/login', body: { email: password, password: email } },
      { path: '/v1/app/login', body: { email, password, [wrong]: wrong } },
      { path: '/v1/app/login', raw: `{"email":"${email}","password":"${password}"` },
      { path: '/v1/app/login', raw: password, headers: { 'content-type': 'text/plain' } },
      { path: '/v1/token', headers: key, body: { serial: 'CDX-000123', secret: wrong } },
      { path: '/v1/token', headers: key, body: { serial: secret, secret: 'CDX-000123' } },
      { path: '/v1/token', headers: key, raw: `{"serial":"CDX-000123","secret":"${secret}"]` },
      {
        path: '/v1/token',
        headers: { 'x-api-key': almost },
        body: { serial: 'CDX-000123', secret },
      },
      {
        path: '/v1/token',
        headers: { 'x-api-key': secret },
        body: { serial: 'CDX-000123', secret },
      },
      { path: '/v1/data', headers: { ...key, ...bearer(wrong) }, body: { readings: [] } },
      { path: '/v1/data', headers: { ...key, ...bearer(apiKey) }, body: { readings: [] } },
      { path: '/v1/data', headers: { 'x-api-key': token, ...bearer(token) }, body: {} },
      { path: '/v1/data', headers: { ...key, ...bearer(token) }, body: { readings: secret } },
      {
        path: '/v1/data',
        headers: { ...key, ...bearer(token) },
        body: { readings: [{ at: secret, values: { [secret]: secret } }] },
      },
      { path: '/v1/data', headers: { ...key, ...bearer(login) }, body: { readings: [] } },
      { path: '/v1/authorize', headers: { ...key, ...bearer(`${token}x`) } },
      { path: `/v1/authorize?key=${apiKey}&token=${token}` },
      { path: `/v1/${secret}`, headers: { cookie: password, 'user-agent': apiKey } },
      { path: '/v1/app/placements', headers: bearer(token), body: { serial: 'CDX-000123' } },
      {
        path: '/v1/app/placements',
        headers: bearer(login),
        body: { serial: 'CDX-000123', installation: password },
      },
      {
        method: 'DELETE',
        path: `/v1/app/placements/${encodeURIComponent(token)}`,
        headers: bearer(login),
      },
    ]
    for (const request of requests) {
      const { status } = await ask(request)
      assert.ok(status >= 400 && status < 500, `${request.path}: ${status}`)
    }
  }

  it('when the database refuses every row, and tells its log which', async () => {
    const tables = ['api_key', 'device', 'installation', 'installer', 'signing_key']
    for (const table of tables) {
      await server.administer(
        `alter table cleverctl.${table} add constraint refuse_all check (false) not valid`,
      )
    }
    const atOnce = limit(4)
    const ids = ['api-key:issue', 'api-key:rotate', 'device:import', 'device:register']
    ids.push(
      'device:rotate-secret',
      'installer:add',
      'installer:reset-password',
      'signing-key:rotate',
    )
    ids.push('installation:create', 'installation:import', 'device:revoke', 'token:revoke')
    try {
      await Promise.all(
        manifestCommands()
          .filter(({ id }) => ids.includes(id))
          .flatMap((command) =>
            Object.values(MODES).map(({ flags, login, env }) =>
              atOnce(async () => {
                const line = scenarios[command.id]?.(stands.next()).succeeds
                assert.ok(line)
                const more = Object.fromEntries(flags.map((flag) => [flag.slice(2), true as const]))
                const words = wordsOf(command, { ...line, flags: { ...line.flags, ...more } })
                const { code, stdout, stderr } = await run1(words, { login, line, env })
                assert.notEqual(code, 0, words.join(' '))
                assert.doesNotMatch(stdout + stderr, DEVICE_SECRET)
              }),
            ),
          ),
      )
    } finally {
      for (const table of tables) {
        await server.administer(`alter table cleverctl.${table} drop constraint refuse_all`)
      }
    }
  })

  it('what is built with secrets in the environment has none of them', async () => {
    const script = `
      const { Plugin } = await import('@oclif/core')
      const plugin = new Plugin({ root: process.argv[1], ignoreManifest: true, type: 'core' })
      await plugin.load()
      console.log(JSON.stringify(plugin.manifest))`
    const env = { ...process.env, ...environment('url', 'staff'), PGPASSWORD: password('staff') }
    const args = ['--input-type=module', '-e', script, ROOT]
    const { stdout } = await promisify(execFile)(process.execPath, args, {
      cwd: ROOT,
      env,
      maxBuffer: 1 << 26,
    })
    assert.ok(Object.keys((JSON.parse(stdout) as { commands: object }).commands).length > 40)
    outputs.push({ what: 'a manifest that is built', text: stdout })
    for (const words of [
      ['help', 'environment'],
      ['device', 'import', '--help'],
    ]) {
      await run1(words, { login: 'url', env: { PGPASSWORD: password('staff') } })
    }
  })

  describe('in the end', () => {
    /** Every place where a secret might have got to, with what is there. */
    async function places(): Promise<Record<string, string>> {
      const { cluster } = server
      const dump = join(cluster.folder, 'dump.sql')
      const access = ['-h', cluster.socketFolder, '-p', String(cluster.port), '-U', 'postgres']
      await cluster.program('pg_dump', [...access, '-f', dump, 'cleverctl'])
      const trail = join(folder, `${marker('trail')}.ndjson`)
      await run1(['trail', 'export', '--output', trail], { login: 'url' })
      const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.md'))
        .map((name) => readFileSync(join(ROOT, 'docs', name), 'utf8'))
      const text = (file: string) => readFileSync(file, 'utf8')
      return {
        'the manifest': text(join(ROOT, 'oclif.manifest.json')),
        'the documents': [text(join(ROOT, 'README.md')), ...docs].join('\n'),
        "PostgreSQL's log": readFileSync(cluster.logFile).subarray(logBegin).toString('utf8'),
        'the database': text(dump),
        'the trail': text(trail),
        'the list of processes': processes.text(),
        ...Object.fromEntries(outputs.map(({ what, text: said }, at) => [`${at}: ${what}`, said])),
      }
    }

    it('no secret is in any place', async () => {
      const secrets = stands.secrets()
      assert.ok(secrets.length > 50)
      for (const { file, text } of secrets) {
        search.add(file, text)
        // The parts of keys and tokens that make them secret.
        const part =
          /^clv_live_\w{8}_(\w{43})/.exec(text) ??
          /^clvd_([\w-]{43})/.exec(text) ??
          /\.([\w-]{86})$/.exec(text)
        if (part?.[1] !== undefined) search.add(`a part of ${file}`, part[1])
      }
      const found = Object.entries(await places()).flatMap(([place, text]) =>
        search.find(text).map((what) => `${what}: in ${place}`),
      )
      assert.deepEqual(found, [])
    })

    it('nothing looks like a secret, known or not', async () => {
      const all = await places()
      const found = Object.entries(all).flatMap(([place, text]) =>
        Object.entries(LOOKS_LIKE_A_SECRET).flatMap(([what, form]) => {
          const isKept = what === 'a hash of a password' && /database|PostgreSQL/.test(place)
          if (isKept || /documents|manifest/.test(place)) return []
          const at = text.search(form)
          return at === -1
            ? []
            : [`${what} in ${place}: …${text.slice(Math.max(0, at - 80), at + 80)}`]
        }),
      )
      assert.deepEqual(found, [])
      const log = all["PostgreSQL's log"]?.replaceAll(NO_SECRET, '') ?? ''
      const words = [...log.matchAll(new RegExp(DEVICE_SECRET, 'g'))]
      const seen = words.map(({ index }) => log.slice(Math.max(0, index - 80), index + 60))
      assert.deepEqual(seen, [])
    })

    it('every place was really looked at, and a secret that is there is found', async () => {
      const planted = marker('planted')
      search.add('a planted secret', planted)
      const name = [
        '--name',
        planted,
        '--timezone',
        'Europe/Madrid',
        '--latitude',
        '1',
        '--longitude',
        '1',
      ]
      const flags = ['--verbose']
      for (const words of [
        ['installation', 'create', 'planted', ...name, ...flags],
        ['installation', 'show', 'planted'],
        ['device', 'revoke', stands.next().serial, '--yes', '--reason', planted],
      ]) {
        const result = await run1(words, { login: 'url', env: { DEBUG: '*' } })
        assert.equal(result.code, 0, result.stderr)
      }
      const found = Object.entries(await places())
        .filter(([, text]) => search.find(text).includes('a planted secret, as it is'))
        .map(([place]) => place.replace(/^\d+: (\w+) of.*/, '$1'))
      const wanted = [
        "PostgreSQL's log",
        'stderr',
        'stdout',
        'the database',
        'the list of processes',
        'the trail',
      ]
      assert.deepEqual([...new Set(found)].sort(), wanted)
      const { "PostgreSQL's log": log = '', 'the list of processes': seen = '' } = await places()
      for (const line of [
        /Failing row contains/,
        /parameters: \$1/i,
        /insert into cleverctl\.device/i,
      ]) {
        assert.match(log, line)
      }
      for (const { id } of manifestCommands()) assert.ok(seen.includes(id.replaceAll(':', ' ')), id)
    })

    it('a secret is found in whichever way it is written', () => {
      const own = new SecretSearch()
      const secret = randomBytes(32).toString('base64url')
      own.add('it', secret)
      const bytes = Buffer.from(secret)
      for (const text of [
        secret,
        bytes.toString('hex'),
        Buffer.from(secret, 'base64url').toString('hex'),
        Buffer.from(secret, 'base64url').toString('base64'),
        ...['', 'a', 'ab', 'abc'].map((before) =>
          Buffer.from(`${before}${secret}:x`).toString('base64'),
        ),
        Buffer.from(`user:${secret}`).toString('base64url'),
      ]) {
        assert.notDeepEqual(own.find(`before ${text} after`), [], text)
      }
      assert.deepEqual(own.find(randomBytes(32).toString('base64url')), [])
    })
  })
})

async function textOf(url: string): Promise<string> {
  return (await fetch(url)).text()
}
