import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import limit from 'p-limit'
import { CertificateAuthority } from './support/certificates.js'
import { runCli, type CliResult } from './support/cli.js'
import { contentOf } from './support/content.js'
import { EmbeddedHome } from './support/embedded.js'
import { spawnGate, type SpawnedGate } from './support/gate.js'
import { until } from './support/until.js'
import { type Answer } from './support/gate-client.js'
import { freePort } from '../src/lib/free-port.js'
import { startServer, type ServerRole, type TestServer } from './support/server.js'

type Document = Record<string, unknown>
interface Failure {
  error: { code: string; exitCode: number; message: string; suggestions: string[] }
}

const PASSWORD = 'a long passphrase for tests'
const INSTALLER = 'installer@example.com'
const [PLANT, OTHER_PLANT] = ['solar-0042', 'solar-0043'] as const
const [DEVICE, SPARE_DEVICE] = ['CDX-000123', 'CDX-000124'] as const
const FACTORY = [
  'serial,model,batch,manufacturedAt',
  `${DEVICE},CleverDx,B-2026-01,2026-01-02`,
  `${SPARE_DEVICE},CleverDx,B-2026-01,2026-01-02T08:30:00Z`,
  '',
].join('\n')

/** A database to go the main path on, and how each role gets at it. */
interface Target {
  /** Where and with what a role's commands run. On one's own machine everybody is the same. */
  as(role: ServerRole): { home: string; env: Record<string, string> }
  /** What an administrator does once the schema is there. */
  grant(): Promise<void>
  /** The role that the trail names for what `role` did; undefined where only one is known. */
  roleInTrail(role: ServerRole): string | undefined
}

/** One run of the main path: its files, its gate and what the steps leave to each other. */
class Run {
  readonly target: Target
  readonly folder = mkdtempSync(join(tmpdir(), 'cctl-path-'))
  gate: SpawnedGate | undefined
  appToken = ''
  token = ''

  constructor(target: Target) {
    this.target = target
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  write(name: string, text: string): string {
    writeFileSync(this.path(name), text, { mode: 0o600 })
    return this.path(name)
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8').trimEnd()
  }

  /** Runs a command of this role with --json in the run's folder; words that hold spaces go in `more`. */
  async cli(role: ServerRole, line: string, more: readonly string[] = []): Promise<CliResult> {
    const { home, env } = this.target.as(role)
    return runCli([...line.split(' '), ...more, '--json'], { home, env, cwd: this.folder })
  }

  /** The same, for a command that must end with `code`; gives its document. */
  async must(role: ServerRole, line: string, more: readonly string[] = [], code = 0) {
    const result = await this.cli(role, line, more)
    assert.equal(result.code, code, `${line}: ${result.stdout}${result.stderr}`)
    return result.json() as Document
  }

  deviceSecret(serial: string): string {
    const line = this.read('secrets.csv')
      .split('\n')
      .find((row) => row.startsWith(`${serial},`))
    return line?.split(',')[1] ?? ''
  }

  ask(path: string, headers: Record<string, string>, body?: unknown): Promise<Answer> {
    assert.ok(this.gate)
    return this.gate.client.ask({ path, headers, body })
  }

  /** Sends a reading with the key and the token in these files, or with the token given. */
  async post(keyFile: string, token: string): Promise<Answer> {
    const headers = { 'x-api-key': this.read(keyFile), authorization: `Bearer ${token}` }
    const readings = [{ at: new Date().toISOString(), values: { powerW: 4210, voltageV: 612.5 } }]
    return this.ask('/v1/data', headers, { readings })
  }

  fetchToken(serial: string, secret: string): Promise<Answer> {
    return this.ask('/v1/token', { 'x-api-key': this.read('key.txt') }, { serial, secret })
  }

  async end(): Promise<void> {
    await this.gate?.end('SIGKILL')
    rmSync(this.folder, { recursive: true, force: true })
  }
}

interface Step {
  title: string
  play(run: Run): Promise<void>
}

/** Refused outside with a class only; what the engineer is told must name `code`. */
async function mustRefuse(
  run: Run,
  answer: Answer,
  { status, code }: { status: 401 | 403; code: string },
): Promise<void> {
  assert.deepEqual(answer.body, {
    error: status === 401 ? 'unauthorized' : 'forbidden',
    requestId: answer.headers['x-request-id'],
  })
  assert.equal(answer.status, status)
  await until(async () => {
    const { refusals } = await run.must('staff', 'gate refusals --since 1h')
    return (refusals as { code: string }[]).some((refusal) => refusal.code === code)
  }, 10_000)
}

const at = ['--timezone', 'Europe/Madrid', '--latitude', '36.84', '--longitude', '-2.46']

const STEPS: readonly Step[] = [
  {
    title: 'the owner migrates the database, and a second time changes nothing',
    play: async (run) => {
      const plan = await run.must('owner', 'database migrate --dry-run')
      const done = await run.must('owner', 'database migrate')
      assert.deepEqual(
        [plan.applied, done.outcome === 'migrated' ? done.applied : []],
        [done.outcome === 'migrated' ? done.applied : plan.applied, done.applied],
      )
      await run.target.grant()
      const again = await run.must('owner', 'database migrate')
      assert.deepEqual([again.outcome, again.applied], ['unchanged', []])
    },
  },
  {
    title: 'staff set keyring and signing keys up, and a second time changes nothing',
    play: async (run) => {
      const first = await run.must('staff', 'init --no-input')
      const again = await run.must('staff', 'init --no-input')
      const outcomes = ({ keyring, signingKeys, config }: Document) => [
        (keyring as Document).outcome,
        (signingKeys as Document).outcome,
        config,
      ]
      assert.deepEqual(outcomes(first), ['created', 'created', 'written'])
      assert.deepEqual(outcomes(again), ['unchanged', 'unchanged', 'unchanged'])
    },
  },
  {
    title: 'staff create two installations',
    play: async (run) => {
      for (const code of [PLANT, OTHER_PLANT]) {
        await run.must('staff', `installation create ${code}`, ['--name', 'Almeria 42', ...at])
      }
      const { installations } = await run.must('staff', 'installation list')
      const codes = (installations as { code: string }[]).map(({ code }) => code)
      assert.deepEqual(codes, [PLANT, OTHER_PLANT])
    },
  },
  {
    title: "staff import a factory's devices; their secrets are in the file alone",
    play: async (run) => {
      run.write('factory.csv', FACTORY)
      const line = 'device import factory.csv --secrets-out secrets.csv'
      const report = await run.must('staff', line)
      assert.deepEqual([report.imported, report.unchanged, report.rejected], [2, 0, 0])
      assert.match(
        run.read('secrets.csv'),
        /^serial,secret\n(CDX-00012[34],clvd_[\w-]{43}_\w{6}\n?){2}$/,
      )
      const again = await run.must('staff', `${line}.other`)
      assert.deepEqual([again.imported, again.unchanged, again.rejected], [0, 2, 0])
      assert.equal(existsSync(run.path('secrets.csv.other')), false)
    },
  },
  {
    title: 'staff add an installer and say where they may install',
    play: async (run) => {
      run.write('password.txt', `${PASSWORD}\n`)
      const line = `installer add ${INSTALLER} --name Installer --password-file password.txt`
      await run.must('staff', line)
      await run.must('staff', `installer assign ${INSTALLER} ${PLANT}`)
    },
  },
  {
    title: 'staff issue an API key for each installation',
    play: async (run) => {
      await run.must('staff', `api-key issue ${PLANT} --output key.txt`)
      await run.must('staff', `api-key issue ${OTHER_PLANT} --output other-key.txt`)
      assert.match(readFileSync(run.path('key.txt'), 'utf8'), /^clv_live_\S+\n$/)
    },
  },
  {
    title: 'the gate starts with its own login and becomes ready',
    play: async (run) => {
      const { home, env } = run.target.as('gate')
      run.gate = await spawnGate({ home, env })
    },
  },
  {
    title: 'the app logs in and installs a device',
    play: async (run) => {
      const refused = await run.ask(
        '/v1/app/login',
        {},
        { email: INSTALLER, password: 'x'.repeat(15) },
      )
      assert.equal(refused.status, 401)
      const login = await run.ask('/v1/app/login', {}, { email: INSTALLER, password: PASSWORD })
      assert.equal(login.status, 200)
      const headers = { authorization: `Bearer ${String(login.body.token)}` }
      const place = (installation: string) =>
        run.ask('/v1/app/placements', headers, { serial: DEVICE, installation })
      assert.equal((await place(OTHER_PLANT)).status, 403)
      assert.equal((await place(PLANT)).status, 201)
      assert.equal((await place(PLANT)).status, 200)
    },
  },
  {
    title: 'the device fetches its token and sends readings, each stored once',
    play: async (run) => {
      const answer = await run.fetchToken(DEVICE, run.deviceSecret(DEVICE))
      assert.deepEqual([answer.status, answer.body.expiresIn], [200, 900])
      run.token = String(answer.body.token)
      const headers = { 'x-api-key': run.read('key.txt'), authorization: `Bearer ${run.token}` }
      const readings = [{ at: new Date().toISOString(), values: { powerW: 4210 } }]
      const first = await run.ask('/v1/data', headers, { readings })
      const again = await run.ask('/v1/data', headers, { readings })
      assert.deepEqual([first.status, first.body], [202, { accepted: 1, duplicates: 0 }])
      assert.deepEqual([again.status, again.body], [202, { accepted: 0, duplicates: 1 }])
      assert.equal((await run.ask('/v1/authorize', headers)).status, 204)
    },
  },
  {
    title: 'refused: a wrong API key, an expired token, and the key of another installation',
    play: async (run) => {
      const headers = { authorization: `Bearer ${run.token}` }
      await mustRefuse(run, await run.ask('/v1/authorize', headers), {
        status: 401,
        code: 'K_MISSING',
      })
      await mustRefuse(run, await run.post('other-key.txt', run.token), {
        status: 401,
        code: 'X_SITE_MISMATCH',
      })
      await run.must('staff', `token issue ${DEVICE} --ttl 1s --output short.txt`)
      await delay(1_500) // longer than the token lives
      await mustRefuse(run, await run.post('key.txt', run.read('short.txt')), {
        status: 401,
        code: 'T_EXPIRED',
      })
    },
  },
  {
    title: 'refused: a device nobody made, and one nobody installed',
    play: async (run) => {
      await mustRefuse(run, await run.fetchToken('CDX-999999', 'x'.repeat(43)), {
        status: 403,
        code: 'D_NOT_MANUFACTURED',
      })
      const spare = await run.fetchToken(SPARE_DEVICE, run.deviceSecret(SPARE_DEVICE))
      await mustRefuse(run, spare, { status: 403, code: 'I_NONE' })
    },
  },
  {
    title: 'gate explain says to staff what the gate says',
    play: async (run) => {
      await run.must('staff', `token issue ${DEVICE} --output token.txt`)
      const files = (key: string, token: string) =>
        `gate explain --api-key-file ${key}.txt --token-file ${token}.txt`
      await run.must('staff', files('key', 'token'))
      await run.must('staff', files('other-key', 'token'), [], 8)
      await run.must('staff', files('key', 'short'), [], 8)
    },
  },
  {
    title: 'a rotated key works beside the former one until its grace is over',
    play: async (run) => {
      await run.must('staff', `api-key rotate ${PLANT} --grace 24h --output key2.txt`)
      assert.equal((await run.post('key.txt', run.token)).status, 202)
      assert.equal((await run.post('key2.txt', run.token)).status, 202)
      await run.must('staff', `api-key rotate ${PLANT} --grace 0 --output key3.txt`)
      await until(async () => (await run.post('key2.txt', run.token)).status === 401, 1_000)
      assert.equal((await run.post('key3.txt', run.token)).status, 202)
      const { apiKeys } = await run.must('auditor', `api-key list ${PLANT}`)
      const states = (apiKeys as { state: string }[]).map(({ state }) => state).sort()
      assert.equal(states.filter((state) => state === 'CURRENT').length, 1)
      assert.equal(states.length, 3)
    },
  },
  {
    title: 'a revoked device is refused at the running gate within a second',
    play: async (run) => {
      const result = await run.must('staff', `device revoke ${DEVICE} --reason stolen --yes`)
      assert.deepEqual(result.revoked, [DEVICE])
      await until(async () => (await run.post('key3.txt', run.token)).status !== 202, 1_000)
      await mustRefuse(run, await run.post('key3.txt', run.token), {
        status: 403,
        code: 'D_REVOKED',
      })
    },
  },
  {
    title: 'the gate stops in order',
    play: async (run) => {
      assert.equal(await run.gate?.end('SIGTERM'), 143)
      run.gate = undefined
    },
  },
  {
    title: 'the auditor finds the trail whole, with the role that did each step',
    play: async (run) => {
      const verdict = await run.must('auditor', 'trail verify')
      assert.deepEqual([verdict.problems, verdict.unlistedProblems], [[], 0])
      const { steps } = await run.must('auditor', 'trail list --limit 1000')
      assert.equal(verdict.rows, (steps as []).length)
      const roleOf = (action: string) =>
        (steps as { action: string; databaseRole: string }[]).find((step) => step.action === action)
          ?.databaseRole
      for (const [action, role] of [
        ['installation.create', 'staff'],
        ['device.import', 'staff'],
        ['placement.create', 'gate'],
      ] as const) {
        const seen = roleOf(action)
        assert.ok(seen !== undefined, action)
        assert.equal(seen, run.target.roleInTrail(role) ?? seen, action)
      }
      await run.must('auditor', 'trail export --output trail.ndjson')
      const exported = await run.must('auditor', 'trail verify --file trail.ndjson')
      assert.deepEqual(exported.head, verdict.head)
    },
  },
]

function walk(makeTarget: () => Target): void {
  let run: Run | undefined
  let hasFailed = false
  before(() => {
    run = new Run(makeTarget())
  })
  after(() => run?.end())
  for (const { title, play } of STEPS) {
    it(title, async function () {
      // A later step needs what the earlier ones made.
      if (hasFailed || run === undefined) return this.skip()
      hasFailed = true
      await play(run)
      hasFailed = false
    })
  }
}

describe('the main path on the embedded database', () => {
  let home: EmbeddedHome
  before(() => {
    home = new EmbeddedHome()
  })
  after(() => home.remove())

  walk(() => ({
    as: () => ({ home: home.folder, env: {} }),
    grant: async () => undefined,
    roleInTrail: () => undefined,
  }))
})

describe('a server with TLS, SCRAM and the group roles', () => {
  let server: TestServer
  let homes: string

  before(async () => {
    homes = mkdtempSync(join(tmpdir(), 'cctl-homes-'))
    server = await startServer({ roles: false })
  })

  after(async () => {
    await server.stop()
    rmSync(homes, { recursive: true, force: true })
  })

  /** Each role sits at a machine of its own; the others have been given staff's key file. */
  function as(role: ServerRole): { home: string; env: Record<string, string> } {
    const home = join(homes, role)
    mkdirSync(home, { recursive: true, mode: 0o700 })
    const shared =
      role === 'staff' ? {} : { CLEVERCTL_KEYRING_FILE: join(homes, 'staff', 'keyring.json') }
    return { home, env: { ...server.environment(role), ...shared } }
  }

  const cli = (role: ServerRole, args: readonly string[], env: Record<string, string> = {}) => {
    const given = as(role)
    return runCli(args, { home: given.home, cwd: homes, env: { ...given.env, ...env } })
  }
  const content = () => contentOf((statement) => server.administer(statement))

  /** Runs a command in words and with --json; both must fail alike and change nothing. */
  async function mustFail(
    role: ServerRole,
    args: readonly string[],
    want: { exitCode: number; code: string },
    env: Record<string, string> = {},
  ): Promise<Failure['error']> {
    const [text, json] = await Promise.all([
      cli(role, args, env),
      cli(role, [...args, '--json'], env),
    ])
    const { error } = json.json() as Failure
    const what = `${role}: ${args.join(' ')}: ${text.stderr}`
    assert.deepEqual([text.code, json.code], [want.exitCode, want.exitCode], what)
    assert.deepEqual([error.exitCode, error.code], [want.exitCode, want.code], what)
    assert.equal(text.stdout, '', what)
    assert.ok(text.stderr.includes(`error: ${error.message}\n`), what)
    return error
  }

  describe('before the first migration', () => {
    it('every command that needs the schema says so with 6, and nothing is made', async () => {
      const commands = [
        ['device', 'list'],
        ['trail', 'verify'],
        ['gate', 'serve', '--self-signed'],
      ]
      for (const args of commands) {
        const error = await mustFail('staff', args, { exitCode: 6, code: 'migrations-pending' })
        assert.match(error.suggestions.join(), /database migrate/)
      }
      assert.deepEqual(await content(), {})
    })

    it('staff, the gate and the auditor may not migrate', async () => {
      for (const role of ['staff', 'gate', 'auditor'] as const) {
        const want = { exitCode: 4, code: 'privilege-missing' }
        await mustFail(role, ['database', 'migrate'], want)
      }
      assert.deepEqual(await content(), {})
    })
  })

  describe('the main path', () => {
    walk(() => ({
      as,
      grant: async () => {
        for (const role of ['staff', 'gate', 'auditor']) {
          await server.administer(`grant cleverctl_${role} to ${role}`)
        }
      },
      roleInTrail: (role) => role,
    }))
  })

  describe('what a role must not do is refused with 4 and changes nothing', () => {
    const password = () => join(homes, 'password.txt')
    const changes = (): [string, string[]][] => [
      ['create an installation', ['installation', 'create', 'solar-0099', '--name', 'X', ...at]],
      ['retire an installation', ['installation', 'retire', OTHER_PLANT, '--yes']],
      [
        'register a device',
        ['device', 'register', 'CDX-000999', '--secrets-out', join(homes, 'none.csv')],
      ],
      ['revoke a device', ['device', 'revoke', SPARE_DEVICE, '--reason', 'x', '--yes']],
      ['rotate a secret', ['device', 'rotate-secret', SPARE_DEVICE, '--output', join(homes, 'n')]],
      [
        'add an installer',
        ['installer', 'add', 'x@example.com', '--name', 'X', '--password-file', password()],
      ],
      ['assign an installer', ['installer', 'assign', INSTALLER, OTHER_PLANT]],
      ['disable an installer', ['installer', 'disable', INSTALLER, '--yes']],
      ['rotate a key', ['api-key', 'rotate', PLANT, '--output', join(homes, 'none.txt')]],
      ['revoke a key', ['api-key', 'revoke', PLANT, '--all', '--reason', 'x', '--yes']],
      ['end tokens', ['token', 'revoke', '--installation', PLANT, '--yes']],
      ['rotate the signing key', ['signing-key', 'rotate', '--now']],
      ['rotate the keyring', ['keyring', 'rotate']],
    ]
    const reads: [string, string[]][] = [
      ['read the trail', ['trail', 'list']],
      ['verify the trail', ['trail', 'verify']],
      ['export the trail', ['trail', 'export', '--output', 'none.ndjson']],
      ['list installers', ['installer', 'list']],
      ['show a device', ['device', 'show', DEVICE]],
    ]

    before(() => writeFileSync(password(), PASSWORD, { mode: 0o600 }))

    async function mustRefuseAll(role: ServerRole, commands: [string, string[]][]): Promise<void> {
      const keyring = () => readFileSync(join(homes, 'staff', 'keyring.json'), 'utf8')
      const [before, keyringBefore] = [await content(), keyring()]
      const atOnce = limit(3)
      const seen = await Promise.all(
        commands.map(([what, args]) =>
          atOnce(async () => {
            const { code, stdout } = await cli(role, [...args, '--json'])
            return [what, code, (JSON.parse(stdout) as Failure).error?.code]
          }),
        ),
      )
      assert.deepEqual(
        seen,
        commands.map(([what]) => [what, 4, 'privilege-missing']),
      )
      assert.deepEqual(await content(), before)
      assert.equal(keyring(), keyringBefore)
      for (const file of ['none.csv', 'none.txt', 'n', 'none.ndjson']) {
        assert.equal(existsSync(join(homes, file)), false, file)
      }
    }

    it('a gate changes nothing but what arrivals change, and reads no more than it needs', () =>
      mustRefuseAll('gate', [...changes(), ...reads]))

    it('an auditor changes nothing', () => mustRefuseAll('auditor', changes()))
  })

  describe('when the server cannot be used', () => {
    const args = ['device', 'list']

    it('unreachable is 7', async () => {
      const PGPORT = String(await freePort())
      const want = { exitCode: 7, code: 'database-unreachable' }
      const error = await mustFail('staff', args, want, { PGPORT })
      assert.ok(error.message.includes(PGPORT))
    })

    it('a wrong password is 4, and is not repeated', async () => {
      const PGPASSWORD = 'wrong-password-of-staff'
      const want = { exitCode: 4, code: 'login-refused' }
      const error = await mustFail('staff', args, want, { PGPASSWORD })
      assert.ok(!JSON.stringify(error).includes(PGPASSWORD))
    })

    it('no password at all is 4', async () => {
      const want = { exitCode: 4, code: 'password-missing' }
      await mustFail('staff', args, want, { PGPASSFILE: join(homes, 'no-such-file') })
    })

    it('a certificate of another authority is 4: nothing is said to a stranger', async () => {
      const other = new CertificateAuthority('another authority')
      try {
        const want = { exitCode: 4, code: 'server-certificate' }
        await mustFail('staff', args, want, { PGSSLROOTCERT: other.certificate })
      } finally {
        other.remove()
      }
    })

    it('plain text is refused by the server, as the database floor says', async () => {
      const result = await cli('staff', [...args, '--json'], { PGSSLMODE: 'disable' })
      assert.equal(result.code, 4, result.stdout)
    })

    it('a database that does not exist is 5', async () => {
      const want = { exitCode: 5, code: 'database-not-found' }
      await mustFail('staff', args, want, { PGDATABASE: 'no_such_database' })
    })

    it('a migration that is missing is 6', async () => {
      const { rows } = await server.administer(
        'delete from cleverctl.migration where version = (select max(version) from cleverctl.migration) returning *',
      )
      const row = rows[0] as { version: number; name: string; sha256: Buffer }
      try {
        await mustFail('staff', args, { exitCode: 6, code: 'migrations-pending' })
      } finally {
        await server.administer(
          'insert into cleverctl.migration (version, name, sha256) values ($1, $2, $3)',
          [row.version, row.name, row.sha256],
        )
      }
    })
  })
})
