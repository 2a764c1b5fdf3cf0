import assert from 'node:assert/strict'
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readConfig, writeConfig } from '../../src/lib/config/config-file.js'
import { homeDirectory } from '../../src/lib/config/home.js'
import { resolveSettings } from '../../src/lib/config/settings.js'
import type { ExpectedError } from '../../src/lib/errors.js'
import { NotFoundError, UsageError } from '../../src/lib/errors.js'

const SENTINEL = 'sentinel-password'

describe('settings', () => {
  let home: string
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'cctl-settings-'))
  })
  afterEach(() => {
    rmSync(home, { recursive: true, force: true })
  })

  const file = (name: string, text: string, mode = 0o600): string => {
    const path = join(home, name)
    writeFileSync(path, text)
    chmodSync(path, mode)
    return path
  }
  const environment = (more: Record<string, string> = {}): Record<string, string> => ({
    CLEVERCTL_HOME: home,
    HOME: home,
    ...more,
  })
  const writeProfiles = (): string =>
    file(
      'config.json',
      JSON.stringify({
        currentProfile: 'current',
        profiles: {
          current: {
            database: { mode: 'server', url: 'postgres://a@current/x' },
            keyring: { provider: 'file' },
          },
          named: {
            database: { mode: 'server', url: 'postgres://a@named/x' },
            keyring: { provider: 'passphrase' },
          },
        },
      }),
    )

  /** From the strongest to the weakest; leaving out the first ones lets the next decide. */
  const SOURCES: [host: string, source: string][] = [
    ['flag', '--database-url'],
    ['variable', 'CLEVERCTL_DATABASE_URL'],
    ['file', 'CLEVERCTL_DATABASE_URL_FILE'],
    ['named', 'profile named'],
    ['libpq', 'PGHOST'],
    ['current', 'profile current'],
  ]
  for (const [index, [host, source]] of SOURCES.entries()) {
    it(`takes the database from ${source} when nothing stronger is given`, async () => {
      writeProfiles()
      const given = (name: string): boolean =>
        SOURCES.findIndex(([, other]) => other === name) >= index
      const settings = await resolveSettings({
        ...(given('--database-url') ? { databaseUrl: 'postgres://a@flag/x' } : {}),
        ...(given('profile named') ? { profile: 'named' } : {}),
        environment: environment({
          ...(given('CLEVERCTL_DATABASE_URL')
            ? { CLEVERCTL_DATABASE_URL: 'postgres://a@variable/x' }
            : {}),
          ...(given('CLEVERCTL_DATABASE_URL_FILE')
            ? { CLEVERCTL_DATABASE_URL_FILE: file('url', 'postgres://a@file/x\n') }
            : {}),
          ...(given('PGHOST') ? { PGHOST: 'libpq' } : {}),
        }),
      })
      assert.equal(settings.databaseSource, source)
      assert.equal(settings.database.mode === 'server' && settings.database.hosts[0]?.host, host)
    })
  }

  it('takes the embedded database when nothing is given', async () => {
    const { database, profile } = await resolveSettings({ environment: environment() })
    assert.equal(database.mode, 'embedded')
    assert.equal(profile, 'default')
  })

  it('takes the profile that CLEVERCTL_PROFILE names', async () => {
    writeProfiles()
    const settings = await resolveSettings({
      environment: environment({ CLEVERCTL_PROFILE: 'named' }),
    })
    assert.equal(settings.profile, 'named')
    assert.equal(settings.keyring.provider, 'passphrase')
  })

  it('names the profiles there are when one is unknown', async () => {
    writeProfiles()
    await assert.rejects(
      resolveSettings({ profile: 'nmaed', environment: environment() }),
      (error) =>
        error instanceof NotFoundError &&
        error.suggestions.join().includes('current, default, named'),
    )
  })

  it('does not take a name of every object for a profile', async () => {
    await assert.rejects(
      resolveSettings({ profile: 'constructor', environment: environment() }),
      NotFoundError,
    )
  })

  for (const url of [
    `postgres://a:${SENTINEL}@h/x`,
    `postgres://a@h/x?password=${SENTINEL}`,
    `postgres://a:@h/x`,
  ]) {
    it(`refuses ${url.replace(SENTINEL, '…')} as a flag without repeating it`, async () => {
      await assert.rejects(
        resolveSettings({ databaseUrl: url, environment: environment() }),
        (error) => {
          assert.ok(error instanceof UsageError)
          assert.equal(error.code, 'password-in-flag')
          assert.match(error.suggestions.join(), /PGPASSFILE.*CLEVERCTL_DATABASE_URL_FILE/)
          return withoutSentinel(error)
        },
      )
    })
  }

  it('keeps the password of the environment wrapped', async () => {
    const { database } = await resolveSettings({
      environment: environment({ CLEVERCTL_DATABASE_URL: `postgres://a:${SENTINEL}%40@h/x` }),
    })
    assert.ok(database.mode === 'server')
    assert.equal(database.password?.reveal(), `${SENTINEL}@`)
    assert.equal(JSON.stringify(database).includes(SENTINEL), false)
  })

  for (const [name, mode, text] of [
    ['readable by the group', 0o640, 'postgres://a@h/x'],
    ['readable by all', 0o604, 'postgres://a@h/x'],
    ['empty', 0o600, '\n'],
  ] as const) {
    it(`refuses a CLEVERCTL_DATABASE_URL_FILE that is ${name}`, async () => {
      const path = file('url', text, mode)
      await assert.rejects(
        resolveSettings({ environment: environment({ CLEVERCTL_DATABASE_URL_FILE: path }) }),
        (error) => error instanceof UsageError && error.message.includes(path),
      )
    })
  }

  for (const [url, why] of [
    [`mysql://a:${SENTINEL}@h/x`, 'another scheme'],
    [`postgres://a:${SENTINEL}@h:port/x`, 'a port that is no number'],
    [`postgres://a:${SENTINEL}@h:70000/x`, 'a port too high'],
    [`postgres://a:${SENTINEL}@h/x?sslmod=verify-full`, 'a parameter that does not exist'],
    [`postgres://a:${SENTINEL}@h/x?sslmode=on`, 'an sslmode that does not exist'],
    [`postgres://a:${SENTINEL}%zz@h/x`, 'a broken escape'],
    [`postgres://a:p@${SENTINEL}@h/x`, 'an @ in the password'],
    [`postgres://a:1/${SENTINEL}@h/x`, 'a slash in the password'],
    [`postgres://a:1?${SENTINEL}@h/x`, 'a question mark in the password'],
    [`postgres://a:${SENTINEL}@h1:1,h2:2,h3/x?port=1,2`, 'fewer ports than hosts'],
    [`postgres://a:${SENTINEL}@h/x?sslmode=verify-full`, 'verify-full without an authority'],
    [
      `postgres://a:${SENTINEL}@h/x?sslrootcert=system&sslmode=require`,
      'system authorities without verify-full',
    ],
    [`postgres://a:${SENTINEL}@h/x?connect_timeout=soon`, 'a timeout that is no number'],
  ]) {
    it(`refuses a URL with ${why} without repeating it`, async () => {
      await assert.rejects(
        resolveSettings({ environment: environment({ CLEVERCTL_DATABASE_URL: url ?? '' }) }),
        (error) => error instanceof UsageError && withoutSentinel(error),
      )
    })
  }

  it('reads what libpq reads from its environment, the URL first', async () => {
    const { database } = await resolveSettings({
      environment: environment({
        CLEVERCTL_DATABASE_URL:
          'postgresql://[::1]:7001,second/fleet?application_name=cron&target_session_attrs=read-write',
        PGPORT: '7002',
        PGUSER: 'engineer',
        PGPASSWORD: SENTINEL,
        PGPASSFILE: '/etc/pgpass',
        PGDATABASE: 'other',
        PGSSLMODE: 'verify-ca',
        PGSSLROOTCERT: '/etc/ca.pem',
        PGSSLCERT: '/etc/me.pem',
        PGSSLKEY: '/etc/me.key',
        PGCONNECT_TIMEOUT: '1',
        PGAPPNAME: 'unused',
      }),
    })
    assert.ok(database.mode === 'server')
    assert.deepEqual(
      { ...database, password: database.password?.reveal() },
      {
        mode: 'server',
        hosts: [
          { host: '::1', port: 7001 },
          { host: 'second', port: 5432 },
        ],
        user: 'engineer',
        database: 'fleet',
        password: SENTINEL,
        passwordFile: '/etc/pgpass',
        tls: {
          mode: 'verify-ca',
          rootCertificate: '/etc/ca.pem',
          certificate: '/etc/me.pem',
          key: '/etc/me.key',
        },
        connectTimeoutMs: 2000,
        applicationName: 'cron',
        sessionAttributes: 'read-write',
        options: undefined,
      },
    )
  })

  it('takes a unix socket from the host parameter', async () => {
    const { database } = await resolveSettings({
      databaseUrl: 'postgres://a@/x?host=%2Frun%2Fpg&port=7',
      environment: environment(),
    })
    assert.deepEqual(database.mode === 'server' && database.hosts, [{ host: '/run/pg', port: 7 }])
  })

  for (const [text, where] of [
    ['{', 'not JSON'],
    ['[]', 'must be an object'],
    ['{"profiles":[]}', 'profiles'],
    ['{"profiles":{"a":{"database":{"mode":"mysql"}}}}', 'profiles.a.database.mode'],
    ['{"profiles":{"a":{"database":{"mode":"server"}}}}', 'profiles.a.database.url'],
    ['{"profiles":{"a":{"keyring":{"provider":"tpm"}}}}', 'profiles.a.keyring.provider'],
    ['{"currentProfile":7}', 'currentProfile'],
  ] as const) {
    it(`refuses the config.json ${text}, naming it and ${where}`, async () => {
      const path = file('config.json', text)
      await assert.rejects(
        resolveSettings({ environment: environment() }),
        (error) =>
          error instanceof UsageError &&
          error.message.includes(path) &&
          error.message.includes(where),
      )
    })
  }

  it('refuses a config.json with a password that others may read', async () => {
    const profiles = { p: { database: { mode: 'server', url: `postgres://a:${SENTINEL}@h/x` } } }
    file('config.json', JSON.stringify({ profiles }), 0o644)
    await assert.rejects(
      readConfig(home),
      (error) => error instanceof UsageError && withoutSentinel(error),
    )
  })

  it('names what is in the way when the home folder is a plain file', async () => {
    const path = file('plain', '')
    await assert.rejects(
      readConfig(path),
      (error) =>
        error instanceof UsageError &&
        error.code === 'config-unreadable' &&
        error.message === `cannot read ${join(path, 'config.json')} (ENOTDIR)`,
    )
  })

  it('writes config.json whole, for its owner only, and reads it back', async () => {
    const config = {
      currentProfile: 'p',
      profiles: {
        p: {
          database: { mode: 'embedded' as const },
          keyring: { provider: 'file' as const, file: 'k' },
        },
      },
    }
    const folder = join(home, 'new')
    await writeConfig(folder, config)
    await writeConfig(folder, config)
    assert.deepEqual(await readConfig(folder), config)
    assert.equal(statSync(join(folder, 'config.json')).mode & 0o777, 0o600)
    assert.equal(statSync(folder).mode & 0o777, 0o700)
    assert.deepEqual(readdirSync(folder), ['config.json'])
    assert.match(readFileSync(join(folder, 'config.json'), 'utf8'), /\n$/)
  })

  it('finds the home folder where the platform keeps the data of programs', function () {
    if (process.platform !== 'linux') return this.skip()
    assert.equal(homeDirectory({ HOME: '/home/a' }), '/home/a/.local/share/cleverctl')
    assert.equal(homeDirectory({ HOME: '/home/a', XDG_DATA_HOME: '/data' }), '/data/cleverctl')
    assert.equal(homeDirectory({ HOME: '/home/a', CLEVERCTL_HOME: '/c' }), '/c')
  })
})

/** Asserts that nothing of an error holds the password. */
function withoutSentinel(error: ExpectedError): boolean {
  const everything = [
    error.message,
    error.stack,
    String(error.cause),
    ...error.suggestions,
    JSON.stringify(error),
  ]
  assert.equal(everything.join('\n').includes(SENTINEL), false)
  return true
}
