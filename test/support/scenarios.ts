import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemRandom } from '../../src/lib/clock.js'
import { ExitCode } from '../../src/lib/errors.js'
import { hashPassword } from '../../src/lib/installer/password.js'
import { Secret } from '../../src/lib/secret.js'
import type { Look } from './content.js'
import type { ManifestCommand } from './manifest.js'
import { visit } from './session-log.js'

/** A command line in parts, so that a test can put something else in the place of one part. */
export interface Line {
  args?: Record<string, string>
  flags?: Record<string, string | true>
  /** The exit code it ends with; a test whose commands do not do what it thinks proves nothing. */
  code: number
  /** Who runs it, where it is not staff. */
  role?: 'owner'
  /** What is wrong with its surroundings. */
  fault?: 'login' | 'keyring'
}

/** One command with arguments that succeed and with arguments that fail. */
export interface Scenario {
  succeeds: Line
  fails: Line
  /** It must be alone: others need what it replaces. */
  isAlone?: true
  /** It needs more than a command line on a database; a test that walks the table runs it by hand. */
  isSpecial?: true
}

/** What one use of a scenario stands on. Nothing of it is used twice. */
export interface Stand {
  /** A number that no other stand has. */
  number: number
  /** An installation with a key, at which {@link serial} stands. */
  installation: string
  /** An installation without a key. */
  bareInstallation: string
  serial: string
  /** An unfinished campaign with that installation as its only target. */
  campaign: string
  /** An installer who may install at {@link installation}. */
  email: string
  /** A path at which nothing is. */
  path(name: string): string
  /** Writes a file that its owner alone may read. */
  file(name: string, text: string): string
  /** A key and a token that the gate accepts together, and a token that nobody signed. */
  apiKey: string
  token: string
  forgedToken: string
  /** An installation with a router whose password and Wi-Fi passphrase are recorded. */
  routerInstallation: string
  /** The password of a person to be added. */
  password: string
}

const { ok, failure, usage, partial, refused, notFound, conflict, findings, unreachable } = ExitCode
const PLACE = { timezone: 'Europe/Madrid', latitude: '36.84', longitude: '-2.46' }
const DEVICES = 'serial,model,batch,manufacturedAt'
const PLANTS = 'code,name,timezone,latitude,longitude'
const PEOPLE = 'email,name,roleNames,networks,until'
const PROGRAMS = 'name,purpose,owner,roleNames,networks,until'
const [NOWHERE, NOTHING, NOBODY] = ['solar-none', 'CDX-NONE', 'nobody@example.com'] as const
const NO_CAMPAIGN = '999999'
const NO_HOST = 'db-none'

const HOST_KEY = `SHA256:${'A'.repeat(42)}E`
const OTHER_HOST_KEY = `SHA256:${'B'.repeat(42)}E`
const ROUTERS = 'installation,password,driver,address,hostKey,port,username,ssid,wifiPassword'

const secretWord = () => systemRandom.bytes(12).toString('hex')

const routerRow = (installation: string, hostKey: string) =>
  `${installation},${secretWord()},openwrt,10.8.0.1,${hostKey},22,root,,\n`

const passwordFile = (stand: Stand, text = stand.password) =>
  stand.file('password.txt', `${text}\n`)

/** Every command. A command of the manifest that is missing here fails the tests that walk it. */
export const scenarios: Record<string, (stand: Stand) => Scenario> = {
  'access:accept': ({ number }) => ({
    succeeds: {
      args: { rule: 'superuser', subject: `role new-${number}` },
      flags: {
        owner: `staff-${number}@example.com`,
        reason: 'break glass',
        until: '2099-12-31',
        host: 'postgres://auditor@db1.example.com:5432/postgres',
      },
      code: ok,
      role: 'owner',
    },
    fails: {
      args: { rule: 'superuser', subject: 'role dba' },
      flags: { owner: NOBODY, reason: 'none', until: '2099-12-31' },
      code: notFound,
      role: 'owner',
    },
  }),
  'access:accept:list': () => ({
    succeeds: { flags: { all: true }, code: ok },
    fails: { code: refused, fault: 'login' },
  }),
  'access:accept:withdraw': ({ number }) => ({
    succeeds: { args: { number: String(number) }, code: ok, role: 'owner' },
    fails: { args: { number: '999999' }, code: notFound, role: 'owner' },
  }),
  // Nobody of the test's own logins is on the list, so none of them can approve.
  'access:approve': ({ number }) => ({
    succeeds: { args: { number: String(number) }, code: refused },
    fails: { args: { number: '999999' }, code: notFound },
  }),
  // The roles of the test's own server are nobody on the list.
  'access:audit': (stand) => ({
    succeeds: {
      flags: {
        'fail-on': 'critical',
        sarif: stand.path('access.sarif'),
        junit: stand.path('access.xml'),
      },
      code: findings,
    },
    fails: { flags: { dsn: 'nowhere', probe: true }, code: usage },
  }),
  'access:ca:create': () => ({
    succeeds: { code: ok, role: 'owner' },
    fails: { flags: { replace: true }, code: usage },
  }),
  'access:ca:show': () => ({
    succeeds: { code: ok },
    fails: { code: refused, fault: 'login' },
  }),
  'access:canary:list': () => ({
    succeeds: { flags: { all: true }, code: ok },
    fails: { code: refused, fault: 'login' },
  }),
  'access:canary:plant': ({ number }) => ({
    succeeds: {
      flags: {
        role: `decoy_${number}`,
        table: 'vault.passwords',
        database: 'fleet',
        dsn: 'postgres://x@127.0.0.1:1/x?connect_timeout=1&sslmode=disable',
      },
      code: unreachable,
      role: 'owner',
    },
    fails: { flags: { role: 'pg_decoy' }, code: usage, role: 'owner' },
  }),
  'access:canary:remove': ({ number }) => ({
    succeeds: { args: { number: String(number) }, code: unreachable, role: 'owner' },
    fails: { args: { number: '999999' }, code: notFound, role: 'owner' },
  }),
  'access:deny': ({ number }) => ({
    succeeds: { args: { number: String(number) }, flags: { reason: 'not today' }, code: ok },
    fails: { args: { number: '999999' }, flags: { reason: 'not today' }, code: notFound },
  }),
  'access:enforce': () => ({
    succeeds: { flags: { 'unknown-roles': true }, code: findings },
    fails: {
      flags: { dsn: 'nowhere', role: 'old_app', yes: true },
      code: usage,
    },
  }),
  'access:expire': () => ({
    succeeds: { code: ok, role: 'owner' },
    fails: { code: refused, fault: 'login' },
  }),
  // By hand it is tried with a server where it succeeds.
  'access:grant': (stand) => ({
    succeeds: {
      args: { email: `staff-${stand.number}@example.com` },
      flags: {
        for: '1h',
        reason: 'ticket 4711',
        database: 'fleet',
        dsn: 'postgres://x@127.0.0.1:1/x?connect_timeout=1&sslmode=disable',
        output: stand.path('password.txt'),
        'read-only': true,
        certificate: true,
      },
      code: unreachable,
      role: 'owner',
    },
    fails: {
      args: { email: `staff-${stand.number}@example.com` },
      flags: { for: '8d', reason: 'too long', output: stand.path('none.txt') },
      code: usage,
    },
    isSpecial: true,
  }),
  'access:grants': () => ({
    succeeds: { flags: { all: true }, code: ok },
    fails: { code: refused, fault: 'login' },
  }),
  'access:policy:set': () => ({
    succeeds: { flags: { never: true, lapse: '4h' }, code: ok, role: 'owner' },
    fails: {
      flags: { 'longer-than': '1h', changing: true, database: 'fleet' },
      code: conflict,
      role: 'owner',
    },
  }),
  'access:policy:show': () => ({
    succeeds: { code: ok },
    fails: { code: refused, fault: 'login' },
  }),
  'access:revoke': ({ number }) => ({
    succeeds: { args: { email: `staff-${number}@example.com` }, code: ok, role: 'owner' },
    fails: { args: { email: NOBODY }, code: notFound, role: 'owner' },
  }),
  'access:prepare': () => ({
    succeeds: { args: { role: 'auditor' }, code: ok },
    fails: { args: { role: 'pg_monitor' }, code: usage },
  }),
  'access:report': (stand) => ({
    succeeds: {
      flags: {
        since: '7d',
        limit: '10',
        html: stand.path('report.html'),
        csv: stand.path('report'),
        sarif: stand.path('report.sarif'),
        junit: stand.path('report.xml'),
      },
      code: ok,
    },
    fails: { flags: { html: '/nowhere/report.html' }, code: usage },
  }),
  'access:self-test': () => ({
    succeeds: { code: ok },
    fails: { flags: { nope: true }, code: usage },
    isSpecial: true,
  }),
  'access:sessions': (stand) => ({
    succeeds: {
      flags: {
        log: stand.file('pg.json', visit({ pid: stand.number, user: 'stranger' })),
        'log-line-prefix': '%m [%p] ',
        since: '36500d',
        hours: '07:00-19:00',
        timezone: 'Europe/Madrid',
        superuser: 'dba',
        limit: '10',
        record: true,
        check: true,
      },
      code: findings,
    },
    fails: {
      flags: { log: stand.path('nowhere.json'), record: true, follow: true },
      code: usage,
    },
  }),
  'access:sessions:verify': () => ({
    succeeds: { code: ok },
    fails: { code: refused, fault: 'login' },
  }),
  'api-key:issue': (stand) => ({
    succeeds: {
      args: { installation: stand.bareInstallation },
      flags: { output: stand.path('key.txt'), 'expires-in': '365d' },
      code: ok,
    },
    fails: {
      args: { installation: stand.installation },
      flags: { output: stand.path('none.txt') },
      code: conflict,
    },
  }),
  'api-key:list': ({ installation }) => ({
    succeeds: { args: { installation }, code: ok },
    fails: { args: { installation: NOWHERE }, code: notFound },
  }),
  'api-key:revoke': ({ installation }) => ({
    succeeds: {
      args: { installation },
      flags: { all: true, reason: 'leaked', yes: true },
      code: ok,
    },
    fails: {
      args: { installation },
      flags: { key: 'AAAAAAAA', reason: 'leaked', yes: true },
      code: notFound,
    },
  }),
  'api-key:rotate': (stand) => ({
    succeeds: {
      args: { installation: stand.installation },
      flags: { output: stand.path('key.txt'), grace: '24h', 'expires-in': '365d' },
      code: ok,
    },
    fails: { args: { installation: stand.bareInstallation }, code: conflict },
  }),
  'api-key:scan': (stand) => ({
    succeeds: {
      args: { path: stand.file('clean.txt', 'nothing here\n') },
      flags: { sarif: stand.path('clean.sarif'), offline: true },
      code: ok,
    },
    fails: {
      args: { path: stand.file('leaked.log', `key=${stand.apiKey}\n`) },
      flags: { sarif: stand.path('leaked.sarif') },
      code: findings,
    },
  }),
  'api-key:status': ({ installation }) => ({
    succeeds: { args: { installation }, flags: { near: '3d' }, code: ok },
    fails: { args: { installation: NOWHERE }, flags: { check: true }, code: notFound },
  }),
  autocomplete: () => ({
    succeeds: { args: { shell: 'bash' }, code: ok },
    fails: { args: { shell: 'cmd' }, code: usage },
  }),
  'campaign:abort': ({ campaign }) => ({
    succeeds: { args: { campaign }, flags: { reason: 'wrong grace', yes: true }, code: ok },
    fails: { args: { campaign: NO_CAMPAIGN }, flags: { yes: true }, code: notFound },
  }),
  'campaign:list': () => ({
    succeeds: { flags: { limit: '5', cursor: '2000' }, code: ok },
    fails: { flags: { cursor: 'x' }, code: usage },
  }),
  'campaign:pause': ({ campaign }) => ({
    succeeds: { args: { campaign }, flags: { reason: 'storm' }, code: ok },
    fails: { args: { campaign: 'x' }, code: usage },
  }),
  'campaign:resume': ({ campaign }) => ({
    succeeds: { args: { campaign }, flags: { 'retry-failed': true, concurrency: '2' }, code: ok },
    fails: { args: { campaign: NO_CAMPAIGN }, code: notFound },
  }),
  'campaign:show': ({ campaign }) => ({
    succeeds: { args: { campaign }, code: ok },
    fails: { args: { campaign: NO_CAMPAIGN }, code: notFound },
  }),
  'campaign:work': () => ({
    succeeds: { flags: { 'until-idle': true, concurrency: '2' }, code: ok },
    fails: { flags: { concurrency: '0' }, code: usage },
  }),
  'database:migrate': () => ({
    succeeds: { code: ok, role: 'owner' },
    fails: { code: refused, fault: 'login' },
  }),
  'database:start': () => ({ succeeds: { code: ok }, fails: { code: usage }, isSpecial: true }),
  'database:status': () => ({ succeeds: { code: ok }, fails: { code: refused, fault: 'login' } }),
  'database:stop': () => ({ succeeds: { code: ok }, fails: { code: usage }, isSpecial: true }),
  demo: () => ({
    succeeds: { code: ok },
    fails: { flags: { nope: true }, code: usage },
    isSpecial: true,
  }),
  'device:audit': (stand) => ({
    succeeds: {
      flags: {
        kind: 'stale-secret',
        installation: stand.installation,
        batch: 'B-1',
        since: '24h',
        'shelf-age': '180d',
        'silent-for': '24h',
        'key-age': '365d',
        'secret-age': '1825d',
        skew: '5m',
        limit: '10',
        sarif: stand.path('audit.sarif'),
      },
      code: ok,
    },
    fails: { flags: { installation: stand.installation, kind: 'mute' }, code: findings },
  }),
  'device:import': (stand) => ({
    succeeds: {
      args: {
        file: stand.file(
          'factory.csv',
          `${DEVICES}\nIMP-${stand.number},CleverDx,B-1,2026-01-02\n`,
        ),
      },
      flags: { 'secrets-out': stand.path('secrets.csv'), rejects: stand.path('rejects.csv') },
      code: ok,
    },
    fails: {
      args: {
        file: stand.file(
          'bad.csv',
          `${DEVICES}\nBAD-${stand.number},CleverDx,B-1,2026-01-02\n?,?,?,?\n`,
        ),
      },
      flags: { 'secrets-out': stand.path('bad-secrets.csv') },
      code: partial,
    },
  }),
  'device:list': ({ installation }) => ({
    succeeds: {
      flags: {
        installation,
        batch: 'B-1',
        model: 'CleverDx',
        'serial-prefix': 'CDX',
        cursor: 'CDX',
      },
      code: ok,
    },
    fails: { flags: { installation: NOWHERE }, code: notFound },
  }),
  'device:register': (stand) => ({
    succeeds: {
      args: { serial: `REG-${stand.number}` },
      flags: {
        'secrets-out': stand.path('secrets.csv'),
        model: 'CleverDx',
        batch: 'B-1',
        'manufactured-at': '2026-01-02',
      },
      code: ok,
    },
    fails: { args: { serial: `REJ-${stand.number}` }, code: usage },
  }),
  'device:remove': ({ serial }) => ({
    succeeds: { args: { serial }, code: ok },
    fails: { args: { serial: NOTHING }, code: notFound },
  }),
  'device:revoke': ({ serial }) => ({
    succeeds: { args: { serial }, flags: { reason: 'stolen', yes: true }, code: ok },
    fails: { args: { serial: NOTHING }, flags: { reason: 'stolen', yes: true }, code: notFound },
  }),
  'device:rotate-secret': (stand) => ({
    succeeds: {
      args: { serial: stand.serial },
      flags: { output: stand.path('secret.txt'), grace: '24h' },
      code: ok,
    },
    fails: { args: { serial: NOTHING }, flags: { output: stand.path('none.txt') }, code: notFound },
  }),
  'device:show': ({ serial }) => ({
    succeeds: { args: { serial }, code: ok },
    fails: { args: { serial: NOTHING }, code: notFound },
  }),
  doctor: () => ({ succeeds: { code: ok }, fails: { code: findings, fault: 'login' } }),
  'gate:explain': (stand) => ({
    succeeds: {
      flags: {
        'api-key-file': stand.file('key.txt', `${stand.apiKey}\n`),
        'token-file': stand.file('token.txt', `${stand.token}\n`),
      },
      code: ok,
    },
    fails: {
      flags: {
        request: stand.file(
          'request.txt',
          `POST /v1/data HTTP/1.1\r\nX-API-Key: ${stand.apiKey}\r\nAuthorization: Bearer ${stand.forgedToken}\r\n\r\n`,
        ),
      },
      code: findings,
    },
  }),
  'gate:refusals': () => ({
    succeeds: { flags: { since: '1h', limit: '10' }, code: ok },
    fails: { flags: { since: 'yesterday' }, code: usage },
  }),
  'gate:retention': () => ({
    succeeds: { flags: { keep: '14mo', drop: true, yes: true }, code: ok, role: 'owner' },
    fails: { flags: { keep: '13mo' }, code: usage },
  }),
  'gate:serve': () => ({ succeeds: { code: 143 }, fails: { code: usage }, isSpecial: true }),
  help: () => ({
    succeeds: { args: { subject: 'exit-codes' }, code: ok },
    fails: { args: { subject: 'xyzzy' }, code: usage },
  }),
  init: () => ({ succeeds: { code: ok }, fails: { code: refused, fault: 'login' } }),
  // No backup machine is recorded, nor could one be reached.
  'backup:drill': () => ({
    succeeds: {
      flags: { stanza: 'main', latest: true, repo: '2', directory: '/srv' },
      code: notFound,
    },
    fails: { flags: { time: 'yesterday' }, code: usage },
  }),
  'backup:list': () => ({
    succeeds: { flags: { stanza: 'main', repo: '2' }, code: notFound },
    fails: { flags: { nope: true }, code: usage },
  }),
  'backup:prune': () => ({
    succeeds: { flags: { stanza: 'main', 'keep-daily': '7', yes: true }, code: notFound },
    fails: {
      flags: { 'keep-daily': '0', 'keep-weekly': '0', 'keep-monthly': '0', yes: true },
      code: usage,
    },
  }),
  'backup:repo:add': (stand) => ({
    succeeds: {
      args: { number: '2' },
      flags: {
        type: 's3',
        bucket: 'solar-backup',
        endpoint: 's3.example.com',
        region: 'eu-central-1',
        port: '9000',
        'uri-style': 'path',
        path: '/backup',
        'secret-file': stand.file('s3.key', `${secretWord()}:${secretWord()}\n`),
        'cipher-file': stand.file('passphrase', `${secretWord()}\n`),
        stanza: 'main',
      },
      code: notFound,
    },
    fails: { args: { number: '2' }, flags: { type: 's3', account: 'solarbackup' }, code: usage },
  }),
  'backup:repo:list': () => ({
    succeeds: { flags: { stanza: 'main' }, code: ok },
    fails: { flags: { nope: true }, code: usage },
  }),
  'backup:repo:remove': () => ({
    succeeds: { args: { number: '2' }, flags: { stanza: 'main', yes: true }, code: notFound },
    fails: { args: { number: '0' }, flags: { yes: true }, code: usage },
  }),
  'backup:repo:reveal': () => ({
    succeeds: {
      args: { number: '2' },
      flags: { stanza: 'main', reason: 'for the safe', reveal: true },
      code: notFound,
    },
    fails: { args: { number: '2' }, flags: { reason: '', reveal: true }, code: usage },
  }),
  'backup:repo:check': () => ({
    succeeds: { args: { number: '1' }, flags: { stanza: 'main' }, code: notFound },
    fails: { args: { number: '0' }, code: usage },
  }),
  'backup:run': () => ({
    succeeds: {
      flags: { stanza: 'main', type: 'incr', from: 'standby', repo: '2', count: true },
      code: notFound,
    },
    fails: { flags: { type: 'none' }, code: usage },
  }),
  'backup:schedule': (stand) => ({
    succeeds: {
      flags: {
        scheduler: 'cron',
        every: '4',
        'full-on': 'Sat',
        repo: '2',
        jitter: '15m',
        install: true,
        root: stand.path('root'),
      },
      code: ok,
    },
    fails: { flags: { user: 'two words' }, code: usage },
  }),
  'backup:status': () => ({
    succeeds: { flags: { stanza: 'main', repo: '2', 'max-age': '6h' }, code: notFound },
    fails: { flags: { 'ping-url': 'nowhere' }, code: usage },
  }),
  'backup:verify': () => ({
    succeeds: { flags: { stanza: 'main', repo: '2' }, code: notFound },
    fails: { flags: { nope: true }, code: usage },
  }),
  // No machine of the estate is there.
  'cluster:status': () => ({
    succeeds: {
      flags: {
        check: true,
        'max-lag': '30s',
        'max-backup-age': '24h',
        'max-drill-age': '7d',
        stanza: 'main',
      },
      code: findings,
    },
    fails: { flags: { stanza: 'nowhere' }, code: notFound },
  }),
  'host:add': (stand) => {
    const flags = {
      role: 'database',
      address: '10.77.0.11',
      port: '2222',
      username: 'postgres',
      'host-key': HOST_KEY,
      'host-key-type': 'ssh-ed25519',
      location: 'hall 1',
      stanza: 'main',
      'postgresql-port': '5433',
      'data-directory': '/var/lib/postgresql/15/main',
      'snapshot-driver': 'btrfs',
      'snapshot-directory': '/btrfs/snap',
      offline: true,
    } as const
    return {
      succeeds: { args: { name: `host-${stand.number}` }, flags, code: ok },
      fails: {
        args: { name: `db-${stand.number}` },
        flags: { ...flags, address: '10.77.0.12' },
        code: conflict,
      },
    }
  },
  // No machine is there.
  'host:check': ({ number }) => ({
    succeeds: { args: { name: `db-${number}` }, code: failure },
    fails: { args: { name: NO_HOST }, code: notFound },
  }),
  'host:list': () => ({
    succeeds: { flags: { role: 'backup' }, code: ok },
    fails: { flags: { role: 'none' }, code: usage },
  }),
  'host:prepare': ({ number }) => ({
    succeeds: { args: { name: `db-${number}` }, code: ok },
    fails: { args: { name: NO_HOST }, code: notFound },
  }),
  'host:rekey': ({ number }) => ({
    succeeds: {
      args: { name: `db-${number}` },
      flags: { 'host-key': OTHER_HOST_KEY, 'host-key-type': 'ssh-ed25519', offline: true },
      code: ok,
    },
    fails: {
      args: { name: NO_HOST },
      flags: { 'host-key': OTHER_HOST_KEY, offline: true },
      code: notFound,
    },
  }),
  'host:remove': ({ number }) => ({
    succeeds: { args: { name: `db-${number}` }, flags: { yes: true }, code: ok },
    fails: { args: { name: NO_HOST }, flags: { yes: true }, code: notFound },
  }),
  'host:show': ({ number }) => ({
    succeeds: { args: { name: `db-${number}` }, code: ok },
    fails: { args: { name: NO_HOST }, code: notFound },
  }),
  'installation:create': (stand) => ({
    succeeds: {
      args: { installation: `new-${stand.number}` },
      flags: { ...PLACE, name: 'Almeria 42' },
      code: ok,
    },
    fails: {
      args: { installation: stand.installation },
      flags: { ...PLACE, name: 'another' },
      code: conflict,
    },
  }),
  'installation:import': (stand) => ({
    succeeds: {
      args: {
        file: stand.file(
          'plants.csv',
          `${PLANTS}\nimp-${stand.number},Almeria,Europe/Madrid,36,-2\n`,
        ),
      },
      flags: { rejects: stand.path('rejects.csv') },
      code: ok,
    },
    fails: {
      args: { file: stand.file('bad-plants.csv', `${PLANTS}\n?,?,?,?,?\n`) },
      code: partial,
    },
  }),
  'installation:list': () => ({
    succeeds: { flags: { 'code-prefix': 'solar', cursor: 'solar', limit: '5' }, code: ok },
    fails: { flags: { limit: '0' }, code: usage },
  }),
  'installation:retire': ({ installation }) => ({
    succeeds: { args: { installation }, flags: { force: true, yes: true }, code: ok },
    fails: { args: { installation: NOWHERE }, flags: { yes: true }, code: notFound },
  }),
  'installation:show': ({ installation }) => ({
    succeeds: { args: { installation }, code: ok },
    fails: { args: { installation: NOWHERE }, code: notFound },
  }),
  'installer:add': (stand) => ({
    succeeds: {
      args: { email: `new-${stand.number}@example.com` },
      flags: { name: 'Installer', 'password-file': passwordFile(stand) },
      code: ok,
    },
    fails: {
      args: { email: stand.email },
      flags: { name: 'Installer', 'password-file': passwordFile(stand) },
      code: conflict,
    },
  }),
  'installer:assign': ({ email, bareInstallation }) => ({
    succeeds: { args: { email, installation: bareInstallation }, code: ok },
    fails: { args: { email, installation: NOWHERE }, code: notFound },
  }),
  'installer:disable': ({ email }) => ({
    succeeds: { args: { email }, flags: { yes: true }, code: ok },
    fails: { args: { email: NOBODY }, flags: { yes: true }, code: notFound },
  }),
  'installer:list': ({ installation }) => ({
    succeeds: { flags: { installation }, code: ok },
    fails: { flags: { installation: NOWHERE }, code: notFound },
  }),
  'installer:reset-password': (stand) => ({
    succeeds: {
      args: { email: stand.email },
      flags: { 'password-file': passwordFile(stand), enable: true },
      code: ok,
    },
    fails: {
      args: { email: NOBODY },
      flags: { 'password-file': passwordFile(stand) },
      code: notFound,
    },
  }),
  'installer:unassign': ({ email, installation }) => ({
    succeeds: { args: { email, installation }, code: ok },
    fails: { args: { email, installation: NOWHERE }, code: notFound },
  }),
  'keyring:rotate': () => ({
    succeeds: { code: ok },
    fails: { code: refused, fault: 'keyring' },
    isAlone: true,
  }),
  'keyring:status': () => ({ succeeds: { code: ok }, fails: { code: findings, fault: 'keyring' } }),
  'profile:list': () => ({ succeeds: { code: ok }, fails: { flags: { nope: true }, code: usage } }),
  'profile:use': () => ({
    succeeds: { args: { name: 'default' }, code: ok },
    fails: { args: { name: 'nowhere' }, code: notFound },
  }),
  'router:add': (stand) => {
    const flags = {
      driver: 'openwrt',
      address: '10.8.0.1',
      port: '2222',
      username: 'admin',
      'host-key': HOST_KEY,
      'host-key-type': 'ssh-ed25519',
      jump: `root@bastion.example.com:22=${HOST_KEY}`,
      'ssh-config': stand.file('ssh_config', 'Host plant\n  User root\n'),
      'password-file': passwordFile(stand, secretWord()),
      ssid: 'CLV-000042',
      'wifi-password-file': stand.file('wifi-password.txt', `${secretWord()}\n`),
      offline: true,
    } as const
    return {
      succeeds: { args: { installation: stand.bareInstallation }, flags, code: ok },
      fails: { args: { installation: stand.installation }, flags, code: conflict },
    }
  },
  // No such router is recorded, so none is contacted.
  'router:check': (stand) => ({
    succeeds: {
      flags: {
        driver: 'rutos',
        concurrency: '4',
        firmware: 'rutos=7.20',
        'fail-on': 'note',
        sarif: stand.path('routers.sarif'),
      },
      code: ok,
    },
    fails: { args: { installation: NOWHERE }, code: notFound },
  }),
  'router:import': (stand) => ({
    succeeds: {
      args: {
        file: stand.file(
          'router-secrets.csv',
          `${ROUTERS}\n${routerRow(stand.bareInstallation, HOST_KEY)}`,
        ),
      },
      flags: { rejects: stand.path('rejects.csv'), offline: true },
      code: ok,
    },
    fails: {
      args: {
        file: stand.file(
          'bad-router-secrets.csv',
          `${ROUTERS}\n${routerRow(NOWHERE, HOST_KEY)}${routerRow(stand.installation, '?')}`,
        ),
      },
      flags: { offline: true },
      code: partial,
    },
  }),
  'router:list': () => ({
    succeeds: { flags: { driver: 'openwrt', limit: '5', cursor: 'solar' }, code: ok },
    fails: { flags: { driver: 'none' }, code: usage },
  }),
  'router:qr': ({ routerInstallation, installation, path }) => ({
    succeeds: {
      args: { installation: routerInstallation },
      flags: { output: path('label.svg') },
      code: ok,
    },
    fails: { args: { installation }, flags: { output: path('none.png') }, code: notFound },
  }),
  'router:reconcile': () => ({
    succeeds: { code: ok },
    fails: { args: { installation: NOWHERE }, code: notFound },
  }),
  'router:rekey': ({ installation }) => ({
    succeeds: {
      args: { installation },
      flags: { 'host-key': OTHER_HOST_KEY, 'host-key-type': 'ssh-ed25519', offline: true },
      code: ok,
    },
    fails: {
      args: { installation: NOWHERE },
      flags: { 'host-key': OTHER_HOST_KEY, offline: true },
      code: notFound,
    },
  }),
  'router:remove': ({ installation }) => ({
    succeeds: { args: { installation }, flags: { yes: true }, code: ok },
    fails: { args: { installation: NOWHERE }, flags: { yes: true }, code: notFound },
  }),
  'router:reveal': (stand) => ({
    succeeds: {
      args: { installation: stand.routerInstallation },
      flags: { what: 'admin', reason: 'site visit', output: stand.path('revealed-password.txt') },
      code: ok,
    },
    fails: {
      args: { installation: stand.installation },
      flags: { what: 'wifi', reason: 'site visit', output: stand.path('none.txt') },
      code: notFound,
    },
  }),
  'router:rotate': ({ routerInstallation }) => ({
    succeeds: { args: { installation: routerInstallation }, flags: { 'dry-run': true }, code: ok },
    fails: { args: { installation: NOWHERE }, code: notFound },
  }),
  'router:show': ({ installation }) => ({
    succeeds: { args: { installation }, code: ok },
    fails: { args: { installation: NOWHERE }, code: notFound },
  }),
  'service-account:add': ({ number }) => ({
    succeeds: {
      args: { name: `service-${number}` },
      flags: {
        purpose: 'replication',
        owner: `staff-${number}@example.com`,
        'role-name': `service_role_${number}`,
        network: '10.77.0.11/32',
        until: '2099-12-31',
        replace: true,
      },
      code: ok,
      role: 'owner',
    },
    fails: {
      args: { name: `service-${number}` },
      flags: { purpose: 'replication', owner: NOBODY },
      code: notFound,
      role: 'owner',
    },
  }),
  'service-account:import': (stand) => ({
    succeeds: {
      args: {
        file: stand.file(
          'programs.csv',
          `${PROGRAMS}\nimp-${stand.number},replication,staff-${stand.number}@example.com,,10.0.0.0/8,\n`,
        ),
      },
      flags: { rejects: stand.path('rejects.csv'), replace: true },
      code: ok,
      role: 'owner',
    },
    fails: {
      args: { file: stand.file('bad-programs.csv', `${PROGRAMS}\n?,?,?,?,?,?\n`) },
      code: partial,
      role: 'owner',
    },
  }),
  'service-account:list': () => ({
    succeeds: { flags: { all: true }, code: ok },
    fails: { code: refused, fault: 'login' },
  }),
  'service-account:remove': ({ number }) => ({
    succeeds: {
      args: { name: `program-${number}` },
      flags: { yes: true },
      code: ok,
      role: 'owner',
    },
    fails: { args: { name: 'nowhere' }, flags: { yes: true }, code: notFound, role: 'owner' },
  }),
  'service-account:show': ({ number }) => ({
    succeeds: { args: { name: `program-${number}` }, code: ok },
    fails: { args: { name: 'nowhere' }, code: notFound },
  }),
  'signing-key:list': () => ({ succeeds: { code: ok }, fails: { code: refused, fault: 'login' } }),
  'signing-key:rotate': () => ({
    succeeds: { flags: { now: true }, code: ok },
    fails: { flags: { now: true }, code: refused, fault: 'keyring' },
    isAlone: true,
  }),
  // No machine of the estate is there, and none has a place for snapshots.
  'snapshot:create': ({ number }) => ({
    succeeds: { flags: { host: `db-${number}`, label: 'nightly', stanza: 'main' }, code: usage },
    fails: { flags: { host: NO_HOST }, code: notFound },
  }),
  'snapshot:list': () => ({
    succeeds: { flags: { all: true, stanza: 'main' }, code: ok },
    fails: { code: refused, fault: 'login' },
  }),
  'snapshot:prune': () => ({
    succeeds: {
      flags: {
        'keep-within': '12h',
        'keep-hourly': '48',
        'keep-daily': '14',
        'keep-weekly': '8',
        'keep-monthly': '12',
        'keep-yearly': '1',
        'time-zone': 'Europe/Berlin',
        stanza: 'main',
        yes: true,
      },
      code: ok,
    },
    fails: { flags: { 'time-zone': 'nowhere' }, code: usage },
  }),
  'snapshot:drill': () => ({
    succeeds: { args: { set: '20260101-030000-nightly' }, code: notFound },
    fails: { args: { set: 'nowhere' }, code: usage },
  }),
  'snapshot:restore': ({ number }) => ({
    succeeds: {
      args: { set: '20260101-030000-nightly' },
      flags: { host: `db-${number}`, to: '/data/copy' },
      code: notFound,
    },
    fails: {
      args: { set: 'nowhere' },
      flags: { host: `db-${number}`, to: '/data/copy' },
      code: usage,
    },
  }),
  'staff:add': ({ number }) => ({
    succeeds: {
      args: { email: `new-${number}@example.com` },
      flags: {
        name: 'Engineer',
        'role-name': `new_role_${number}`,
        network: '10.77.0.1/32',
        until: '2099-12-31',
        replace: true,
      },
      code: ok,
      role: 'owner',
    },
    fails: {
      args: { email: `staff-${number}@example.com` },
      flags: { name: 'Somebody', 'role-name': `new_role_${number}` },
      code: conflict,
      role: 'owner',
    },
  }),
  'staff:import': (stand) => ({
    succeeds: {
      args: {
        file: stand.file(
          'staff.csv',
          `${PEOPLE}\nimp-${stand.number}@example.com,Ana,imp_${stand.number},10.0.0.0/8,\n`,
        ),
      },
      flags: { rejects: stand.path('rejects.csv'), replace: true },
      code: ok,
      role: 'owner',
    },
    fails: {
      args: { file: stand.file('bad-staff.csv', `${PEOPLE}\n?,?,?,?,?\n`) },
      code: partial,
      role: 'owner',
    },
  }),
  'staff:list': () => ({
    succeeds: { flags: { all: true }, code: ok },
    fails: { code: refused, fault: 'login' },
  }),
  'staff:remove': ({ number }) => ({
    succeeds: {
      args: { email: `staff-${number}@example.com` },
      flags: { yes: true },
      code: ok,
      role: 'owner',
    },
    fails: { args: { email: NOBODY }, flags: { yes: true }, code: notFound, role: 'owner' },
  }),
  'staff:show': ({ number }) => ({
    succeeds: { args: { email: `staff-${number}@example.com` }, code: ok },
    fails: { args: { email: NOBODY }, code: notFound },
  }),
  status: () => ({ succeeds: { code: ok }, fails: { code: refused, fault: 'login' } }),
  'token:inspect': (stand) => ({
    succeeds: {
      flags: { 'token-file': stand.file('token.txt', `${stand.token}\n`), audience: 'ingest' },
      code: ok,
    },
    fails: {
      flags: { 'token-file': stand.file('forged.txt', `${stand.forgedToken}\n`) },
      code: findings,
    },
  }),
  'token:issue': (stand) => ({
    succeeds: {
      args: { serial: stand.serial },
      flags: { output: stand.path('token.txt'), ttl: '5s' },
      code: ok,
    },
    fails: { args: { serial: NOTHING }, flags: { output: stand.path('none.txt') }, code: notFound },
  }),
  'token:revoke': ({ serial }) => ({
    succeeds: { flags: { device: serial, yes: true }, code: ok },
    fails: { flags: { installation: NOWHERE, yes: true }, code: notFound },
  }),
  'trail:export': (stand) => ({
    succeeds: { flags: { output: stand.path('trail.ndjson') }, code: ok },
    fails: { flags: { output: stand.file('there.txt', 'mine') }, code: conflict },
  }),
  'trail:list': ({ serial }) => ({
    succeeds: {
      flags: { since: '1h', action: 'device', subject: serial, actor: 'staff', cursor: '99' },
      code: ok,
    },
    fails: { flags: { cursor: 'x' }, code: usage },
  }),
  'trail:verify': (stand) => ({
    succeeds: { code: ok },
    fails: { flags: { file: stand.file('no-trail.ndjson', '{}\n') }, code: usage },
  }),
}

/** What all stands share. */
type Shared = Pick<Stand, 'apiKey' | 'token' | 'forgedToken' | 'routerInstallation'>

/** Where commands of the scenarios get what they stand on. */
export class Stands {
  readonly folder: string
  readonly #shared: Shared
  readonly #last: number
  #number = FIRST

  private constructor(folder: string, shared: Shared, last: number) {
    this.folder = folder
    this.#shared = shared
    this.#last = last
  }

  /**
   * Furnishes an empty, migrated database by SQL, and gets a key and a token by the real commands.
   * @param given.run runs a command that must succeed, as staff unless another role is named
   * @param given.count how many stands there will be
   */
  static async prepare(given: {
    folder: string
    count: number
    look: Look
    run(words: readonly string[], role?: 'owner'): Promise<unknown>
  }): Promise<Stands> {
    const { folder, count, look, run } = given
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const hash = await hashPassword(new Secret('the password before'), systemRandom)
    await look(furniture(FIRST, FIRST + count, hash))
    const [key, token] = [join(folder, 'shared-key.txt'), join(folder, 'shared-token.txt')]
    await run(['init', '--yes'])
    await run(['access', 'ca', 'create'], 'owner')
    await run(['api-key', 'issue', `bare-${FIRST}`, '--output', key])
    await look(`update cleverctl.placement set installation_id = installation.id
      from cleverctl.installation, cleverctl.device
      where device.id = device_id and serial = 'CDX-${FIRST}' and code = 'bare-${FIRST}'`)
    await run(['token', 'issue', `CDX-${FIRST}`, '--ttl', '1h', '--output', token])
    const routerInstallation = `bare-${FIRST}`
    const [password, wifi] = ['router', 'wifi'].map((name) => {
      const file = join(folder, `shared-${name}-password.txt`)
      writeFileSync(file, `${secretWord()}\n`, { mode: 0o600 })
      return file
    })
    await run(
      `router add ${routerInstallation} --driver openwrt --address 127.0.0.1 --offline --host-key ${HOST_KEY}
       --password-file ${password} --ssid CLV-1000 --wifi-password-file ${wifi}`.split(/\s+/),
    )
    const text = (file: string) => readFileSync(file, 'utf8').trimEnd()
    const [head = '', claims = ''] = text(token).split('.')
    const forgedToken = `${head}.${claims}.${systemRandom.bytes(64).toString('base64url')}`
    const shared = { apiKey: text(key), token: text(token), forgedToken, routerInstallation }
    return new Stands(folder, shared, FIRST + count)
  }

  /** A stand that nobody has used. */
  next(): Stand {
    const number = (this.#number += 1)
    if (number > this.#last) throw new Error('there are more stands in use than were furnished')
    const path = (name: string) => join(this.folder, `${number}-${name}`)
    return {
      number,
      installation: `solar-${number}`,
      bareInstallation: `bare-${number}`,
      serial: `CDX-${number}`,
      campaign: String(number),
      email: `installer-${number}@example.com`,
      path,
      file: (name, text) => {
        writeFileSync(path(name), text, { mode: 0o600 })
        return path(name)
      },
      password: `correct horse ${systemRandom.bytes(9).toString('base64url')}`,
      ...this.#shared,
    }
  }

  /** Every secret in the files that commands were given or have made so far, with the file's name. */
  secrets(): { file: string; text: string }[] {
    const files = readdirSync(this.folder, { withFileTypes: true }).filter((each) => each.isFile())
    return files.flatMap(({ name: file }) => {
      const lines = readFileSync(join(this.folder, file), 'utf8').trimEnd().split('\n')
      const texts = /secrets\.csv$/.test(file)
        ? lines.slice(1).map((line) => line.split(',')[1] ?? '')
        : /(key|token|forged|secret|password)\.txt$/.test(file)
          ? lines
          : []
      return texts.filter((text) => text !== '').map((text) => ({ file, text }))
    })
  }
}

const FIRST = 1000

function furniture(from: number, to: number, passwordHash: string): string {
  const numbers = `generate_series(${from}, ${to}) as n`
  return `
    insert into cleverctl.installation (code, name, timezone, latitude, longitude)
    select kind || n, 'Almeria ' || n, 'Europe/Madrid', 36.84, -2.46
    from ${numbers}, unnest(array['solar-', 'bare-']) as kind;
    insert into cleverctl.installer (email, name, password_hash)
    select 'installer-' || n || '@example.com', 'Installer ' || n, '${passwordHash}' from ${numbers};
    insert into cleverctl.account (kind, handle, description, networks, added_at)
    select 'staff', kind || n || '@example.com', 'Engineer ' || n, '{10.77.0.1/32}', now()
    from ${numbers}, unnest(array['staff-', 'waiting-']) as kind;
    insert into cleverctl.account (kind, handle, description, owner_id, networks, added_at)
    select 'service-account', 'program-' || n, 'replication', id, '{10.77.0.11/32}', now()
    from ${numbers} join cleverctl.account on handle = 'staff-' || n || '@example.com';
    insert into cleverctl.account_role (role_name, account_id)
    select replace(split_part(handle, '@', 1), '-', '_'), id from cleverctl.account;
    insert into cleverctl.access_acceptance
      (id, rule, subject, owner_id, reason, valid_until, accepted_at)
    overriding system value
    select n, 'superuser', 'role dba-' || n, id, 'break glass', '2099-12-31', now()
    from ${numbers} join cleverctl.account on handle = 'staff-' || n || '@example.com';
    insert into cleverctl.access_canary
      (id, kind, server, database_name, name, reference, state, planted_at)
    overriding system value
    select n, 'role', 'postgres://x@127.0.0.1:1/x?connect_timeout=1&sslmode=disable', '', 'canary_' || n,
      'ref ' || n, 'PLANTED', now() from ${numbers};
    alter table cleverctl.access_grant disable trigger access_grant_guard;
    insert into cleverctl.access_grant
      (id, account_id, role_name, servers, databases, is_read_only, reason, verifier, state, ends_at, granted_at,
       requested_by, requested_as, lapses_at)
    overriding system value
    select n, id, 'cleverctl_g_' || n, '{}', '{fleet}', true, 'ticket 4711', 'SCRAM-SHA-256$4096:', 'REQUESTED',
      '2099-01-01', now(), id, 'waiting_' || n, '2099-01-01'
    from ${numbers} join cleverctl.account on handle = 'waiting-' || n || '@example.com';
    alter table cleverctl.access_grant enable trigger access_grant_guard;
    insert into cleverctl.device (serial, model, batch, manufactured_at, secret_sha256)
    select 'CDX-' || n, 'CleverDx', 'B-1', '2026-01-02', sha256(n::text::bytea) from ${numbers};
    insert into cleverctl.api_key (key_id, installation_id, version, state, digest)
    select 'KEY0' || n, id, 1, 'CURRENT', sha256(n::text::bytea)
    from ${numbers} join cleverctl.installation on code = 'solar-' || n;
    insert into cleverctl.router (installation_id, driver, address, port, username, login, host_key_type,
      host_key_sha256, added_at)
    select id, 'openwrt', '127.0.0.1', 1, 'root', 'password', 'ssh-ed25519', sha256(n::text::bytea), now()
    from ${numbers} join cleverctl.installation on code = 'solar-' || n;
    insert into cleverctl.host (name, role, address, port, username, host_key_type, host_key_sha256, stanza,
      postgresql_port, data_directory, added_at)
    select 'db-' || n, 'database', '127.0.0.1', 1, 'postgres', 'ssh-ed25519', sha256(n::text::bytea), 'main',
      5432, '/var/lib/postgresql/15/main', now() from ${numbers};
    insert into cleverctl.installer_assignment (installer_id, installation_id)
    select installer.id, installation.id from ${numbers}
    join cleverctl.installer on email = 'installer-' || n || '@example.com'
    join cleverctl.installation on code = 'solar-' || n;
    insert into cleverctl.campaign
      (id, operation, parameters, pace, fingerprint, state_since, watched_from, created_at, created_by)
    overriding system value
    select n, 'api-key rotate', '{"graceMs": 86400000}',
      '{"waves": [{"percent": 100}], "maxFailures": {"percent": 2}, "maxRefusals": null,
        "wavePauseMs": 0, "jitterMs": 0, "window": null}',
      sha256(n::text::bytea), now(), now(), now(), 'staff@host' from ${numbers};
    insert into cleverctl.campaign_target
      (campaign_id, position, target, operation, installation_id, wave, ready_at)
    select n, 1, code, 'api-key rotate', id, 1, now()
    from ${numbers} join cleverctl.installation on code = 'solar-' || n;
    insert into cleverctl.placement (device_id, installation_id, installer_id, during)
    select device.id, installation.id, installer.id, tstzrange('2026-02-01', null) from ${numbers}
    join cleverctl.device on serial = 'CDX-' || n
    join cleverctl.installation on code = 'solar-' || n
    join cleverctl.installer on email = 'installer-' || n || '@example.com'`
}

/** A line's words as they are typed; flags first, so that an argument may begin with a dash. */
export function wordsOf(
  { id, args: known }: ManifestCommand,
  { args = {}, flags = {} }: Pick<Line, 'args' | 'flags'>,
): string[] {
  const order = Object.keys(known)
  const given = Object.entries(args)
    .sort(([a], [b]) => order.indexOf(a) - order.indexOf(b))
    .map(([, value]) => value)
  return [
    ...id.split(':'),
    ...Object.entries(flags).map(([name, value]) =>
      value === true ? `--${name}` : `--${name}=${value}`,
    ),
    ...(given.some((value) => value.startsWith('-')) ? ['--'] : []),
    ...given,
  ]
}
