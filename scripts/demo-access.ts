/** `npm run demo:access`: the story of those who may reach a database, told with the real program. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { Cluster } from '../src/lib/access/self-test/cluster.js'
import type { AccessAudit, AccessFinding } from '../src/lib/access/audit/types.js'
import { systemClock } from '../src/lib/clock.js'
import { runCli, type CliOptions, type CliResult } from '../test/support/cli.js'
import { silentLog } from '../test/support/database.js'
import { playStory, report, SCREEN, show, tell, type Step } from './story.js'

const ANA = 'ana@example.com'
const TWO_HOURS_MS = 2 * 60 * 60 * 1000
/** What Node.js runs before the program: the machine's clock, two hours on. */
const TWO_HOURS_LATER = `--import=data:text/javascript,${encodeURIComponent(
  `const Now = Date
  globalThis.Date = class extends Now {
    constructor(...given) { if (given.length > 0) super(...given); else super(Now.now() + ${TWO_HOURS_MS}) }
    static now() { return Now.now() + ${TWO_HOURS_MS} }
  }`,
)}`

const SETTINGS = [
  'ssl = on',
  "password_encryption = 'scram-sha-256'",
  'log_connections = on',
  'log_disconnections = on',
  'logging_collector = on',
  "log_destination = 'jsonlog'",
  "log_timezone = 'UTC'",
]
/** The rule for all who are let in for a limited time, as `access grant` names it. */
const GRANTED = 'hostssl fleet +cleverctl_granted 127.0.0.1/32 scram-sha-256'

/** What was planted: what must find it and whom it must name, and a rule that is taken out to mend it. */
const PLANTED = [
  { rule: 'role-nobody', who: 'nobody', subject: 'role intern' },
  { rule: 'superuser', who: 'nobody', subject: 'role intern' },
  { rule: 'role-nobody', who: 'ben@example.com', subject: 'role ben' },
  { rule: 'public-table', who: null, subject: 'fleet.plant' },
  { rule: 'weak-method', who: null, subject: 'line 2' },
] as const

/** The program with a home of its own, and the server that it looks at. */
interface Cast {
  cluster: Cluster
  home: string
  dsn: string
  isLater: boolean
  session?: pg.Client
}

const run = async (
  { home, isLater }: Cast,
  words: readonly string[],
  more: CliOptions = {},
): Promise<CliResult> =>
  runCli(words, {
    ...more,
    home,
    cwd: home,
    env: { CI: 'true', ...(isLater ? { NODE_OPTIONS: TWO_HOURS_LATER } : {}) },
  })

const say = async (cast: Cast, words: readonly string[], code = 0) =>
  show((given) => run(cast, given, { screen: SCREEN }), words, code)

/** Runs an audit and shows those of its findings that the story is about. */
async function audit(cast: Cast): Promise<AccessFinding[]> {
  const words = ['access', 'audit', '--dsn', cast.dsn, '--json']
  const { stdout, code } = await run(cast, words)
  const document = JSON.parse(stdout) as { error?: { result: AccessAudit } } & AccessAudit
  const { findings } = document.error?.result ?? document
  const told = findings.filter((finding) => PLANTED.some((planted) => isOf(planted, finding)))
  const lines = told.map(
    ({ severity, rule, subject, who, fix }) =>
      `${severity.padEnd(8)}  ${rule.padEnd(12)}  ${subject.padEnd(26)}  ${who ?? '-'}\n  → ${fix}`,
  )
  const others = `(${findings.length - told.length} more about this server's settings)`
  report(words, { code, stdout: [...lines, others].join('\n'), stderr: '' })
  return told
}

function isOf({ rule, subject }: (typeof PLANTED)[number], finding: AccessFinding): boolean {
  return finding.rule === rule && finding.subject.includes(subject)
}

/** Opens a session over TLS with the password that was granted. */
async function enter({ cluster, home }: Cast, role: string): Promise<pg.Client> {
  const client = new pg.Client({
    ...{ host: '127.0.0.1', port: cluster.port, database: 'fleet', user: role },
    password: readFileSync(join(home, 'password.txt'), 'utf8').trim(),
    // Its certificate is made for the moment.
    ssl: { rejectUnauthorized: false },
  })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

async function rolesGranted(cast: Cast): Promise<string[]> {
  const { stdout } = await run(cast, ['access', 'grants', '--all', '--json'])
  const { grants } = JSON.parse(stdout) as { grants: { role: string }[] }
  return grants.map(({ role }) => role)
}

const story: readonly Step<Cast>[] = [
  {
    title:
      'The list: a member of staff, one whose last day is past, the account of the server itself',
    play: async (cast) => {
      const person = (email: string, role: string) => ['staff', 'add', email, '--name', role]
      const network = ['--network', '127.0.0.1/32']
      await say(cast, [...person(ANA, 'ana'), '--role-name', 'ana', ...network])
      await say(cast, [
        ...person('ben@example.com', 'ben'),
        ...['--role-name', 'ben', '--until', '2026-01-31', ...network],
      ])
      await say(cast, [
        ...['service-account', 'add', 'bootstrap', '--purpose', 'first superuser'],
        ...['--owner', ANA, '--role-name', cast.cluster.superuser],
      ])
    },
  },
  {
    title:
      'Somebody has been careless: an intern is superuser, Ben can still log in, a table is open to all',
    play: async (cast) => {
      const found = await audit(cast)
      for (const planted of PLANTED) {
        const [finding] = found.filter((each) => isOf(planted, each))
        assert.ok(finding, `${planted.rule} of ${planted.subject} is not found`)
        assert.equal(finding.who, planted.who)
      }
    },
  },
  {
    title: 'Mended as the audit says, and looked at again: they are gone',
    play: async (cast) => {
      const database = await cast.cluster.open('fleet')
      try {
        for (const { fix, rule } of await audit(cast))
          if (rule !== 'weak-method') await database.query(fix.replace(/^in fleet: /, ''))
      } finally {
        await database.close()
      }
      await writeRules(cast.cluster, [GRANTED])
      assert.deepEqual(await audit(cast), [])
    },
  },
  {
    title: 'Ana needs to look at the data: two hours, reading only',
    play: async (cast) => {
      const { stdout } = await say(cast, [
        ...['access', 'grant', ANA, '--for', '2h', '--reason', 'ticket 4711', '--read-only'],
        ...['--database', 'fleet', '--output', 'password.txt', '--dsn', cast.dsn],
      ])
      assert.doesNotMatch(stdout, /hostssl/, 'a line of pg_hba.conf is missing')
      const [role = ''] = await rolesGranted(cast)
      cast.session = await enter(cast, role)
      const { rows } = await cast.session.query<{ code: string }>('select code from fleet.plant')
      tell(`    (Ana is in, over TLS, and reads: ${rows[0]?.code})`)
      await assert.rejects(cast.session.query(`insert into fleet.plant values ('x')`))
      tell('    (a change is refused)')
    },
  },
  {
    title: 'Two hours later a timer ends it: the session is over, and the password opens nothing',
    play: async (cast) => {
      cast.isLater = true
      await say(cast, ['access', 'expire'])
      await assert.rejects(cast.session?.query('select 1') ?? Promise.resolve())
      const [role = ''] = await rolesGranted(cast)
      await assert.rejects(enter(cast, role))
      tell('    (Ana is out, and a new login is refused)')
    },
  },
  {
    title: "Who was in, by the server's own log, each with a name, and kept",
    play: async (cast) => {
      const folder = join(cast.cluster.folder, 'data', 'log')
      const logs = readdirSync(folder)
        .filter((name) => name.endsWith('.json'))
        .flatMap((name) => ['--log', join(folder, name)])
      const words = ['access', 'sessions', ...logs, '--record', '--superuser', 'intern']
      const { stdout } = await say(cast, [...words, '--limit', '12'])
      assert.match(stdout, /^ *ana@example\.com +cleverctl_g_/m)
    },
  },
  {
    title: 'All of it, for auditors',
    play: async (cast) => {
      await say(cast, ['access', 'report', '--html', 'report.html', '--csv', 'lists'])
      const page = readFileSync(join(cast.home, 'report.html'), 'utf8')
      for (const text of [ANA, 'ticket 4711', 'expired', 'whole']) assert.ok(page.includes(text))
      const { size } = statSync(join(cast.home, 'report.html'))
      tell(
        `    (one file of ${size} bytes, and ${readdirSync(join(cast.home, 'lists')).length} lists)`,
      )
      await say(cast, ['trail', 'verify'])
    },
  },
]

/** Rules of pg_hba.conf in force, the server's own account first and a reject last. */
async function writeRules(cluster: Cluster, lines: readonly string[]): Promise<void> {
  const own = `local all "${cluster.superuser}" peer`
  await cluster.writeRules('pg_hba.conf', [own, ...lines, 'host all all all reject'])
  await cluster.reload()
}

async function plant(cluster: Cluster): Promise<void> {
  const database = await cluster.open('postgres')
  await database.query('create database fleet')
  await database.close()
  const fleet = await cluster.open('fleet')
  try {
    for (const statement of [
      'create schema fleet',
      'create table fleet.plant (code text)',
      `insert into fleet.plant values ('solar-0042')`,
      'create role intern superuser login',
      'create role ben login',
      'grant usage on schema fleet to public',
      'grant select on fleet.plant to public',
    ])
      await fleet.query(statement)
  } finally {
    await fleet.close()
  }
  await writeRules(cluster, ['hostssl fleet ben 127.0.0.1/32 trust'])
}

async function main(): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'cctl-demo-access-'))
  const needs = { environment: process.env, clock: systemClock, log: silentLog }
  const { signal } = new AbortController()
  const cluster = await Cluster.start(SETTINGS, { ...needs, signal })
  const place = `host=${encodeURIComponent(cluster.folder)}&port=${cluster.port}`
  const dsn = `postgres://${cluster.superuser}@/fleet?${place}`
  const cast: Cast = { cluster, home, dsn, isLater: false }
  try {
    await plant(cluster)
    await playStory(story, cast)
  } finally {
    await cast.session?.end().catch(() => undefined)
    await run(cast, ['database', 'stop'])
    await cluster.stop()
    rmSync(home, { recursive: true, force: true })
  }
}

await main()
