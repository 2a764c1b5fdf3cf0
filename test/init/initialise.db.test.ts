import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../../src/lib/config/config-file.js'
import {
  CancelledError,
  ConflictError,
  UnreachableError,
  UsageError,
} from '../../src/lib/errors.js'
import { initialise, type Initialised, type InitQuestions } from '../../src/lib/init/initialise.js'
import type { ProfileWishes } from '../../src/lib/init/profile.js'
import { Secret } from '../../src/lib/secret.js'
import type { Surroundings } from '../../src/lib/surroundings.js'
import { uniqueName } from '../support/cluster.js'
import { freshDatabase, type FreshDatabase, openUrl } from '../support/database.js'
import { testSurroundings } from '../support/surroundings.js'

/** What a person is asked and answers; nobody is there unless a test puts somebody. */
const nobody: InitQuestions = {
  choose: async ({ suggestion }) => suggestion,
  confirm: async () => {
    throw new UsageError('missing-flag', 'give --yes')
  },
}
const yes: InitQuestions = { ...nobody, confirm: async () => undefined }

describe('init', () => {
  let fresh: FreshDatabase
  let empty: { name: string; url: string }
  let folder: string
  let home: string

  beforeEach(async () => {
    fresh = await freshDatabase()
    const name = uniqueName('empty')
    await fresh.database.query(`create database ${name}`)
    empty = { name, url: fresh.url.replace(/\/test_\w+/, `/${name}`) }
    folder = mkdtempSync(join(tmpdir(), 'cctl-init-'))
    home = join(folder, 'home')
  })
  afterEach(async () => {
    await fresh.database.query(`drop database ${empty.name} with (force)`)
    await fresh.drop()
    rmSync(folder, { recursive: true })
  })

  const init = (
    wishes: Partial<ProfileWishes>,
    ask: InitQuestions = nobody,
    environment: Record<string, string> = {},
    overrides: Partial<Surroundings> = {},
  ): Promise<Initialised> =>
    initialise(
      testSurroundings({ CLEVERCTL_HOME: home, ...environment }, overrides),
      { profile: undefined, databaseUrl: undefined, keyring: undefined, ...wishes },
      ask,
    )
  const config = (): Config => JSON.parse(readFileSync(join(home, 'config.json'), 'utf8')) as Config
  const migrations = async (): Promise<number> => {
    const database = await openUrl(empty.url, { migrations: 'ignore' })
    const { rows } = await database.query<{ there: boolean }>(
      `select to_regclass('cleverctl.migration') is not null as there`,
    )
    await database.close()
    return Number(rows[0]?.there)
  }

  it('sets up an empty server once, and says so the second time', async () => {
    const first = await init({ databaseUrl: empty.url }, yes)
    equal(first.config, 'written')
    ok(first.database.migrationsApplied >= 5)
    equal(first.keyring.outcome, 'created')
    equal(first.signingKeys.created.length, 2)
    deepEqual(config(), {
      currentProfile: 'default',
      profiles: {
        default: { database: { mode: 'server', url: empty.url }, keyring: { provider: 'file' } },
      },
    })
    for (const file of ['config.json', 'keyring.json']) {
      equal(statSync(join(home, file)).mode & 0o777, 0o600, file)
    }
    const second = await init({})
    deepEqual(second, {
      ...first,
      config: 'unchanged',
      database: { ...first.database, migrationsApplied: 0 },
      keyring: { ...first.keyring, outcome: 'unchanged' },
      signingKeys: { outcome: 'unchanged', created: [] },
    })
  })

  it('changes no server without a yes', async () => {
    await rejects(init({ databaseUrl: empty.url }), /--yes/)
    const no = { ...nobody, confirm: () => Promise.reject(new CancelledError()) }
    await rejects(init({ databaseUrl: empty.url }, no), CancelledError)
    equal(await migrations(), 0)
    equal(existsSync(join(home, 'config.json')), false)
  })

  it('writes no profile for a server that is out of reach', async () => {
    const databaseUrl = 'postgres://nobody@127.0.0.1:1/none?connect_timeout=1'
    await rejects(init({ databaseUrl }, yes), UnreachableError)
    equal(existsSync(home), false)
  })

  it('never changes a profile that is there', async () => {
    await init({ databaseUrl: fresh.url })
    await rejects(init({ databaseUrl: empty.url }, yes), ConflictError)
    await rejects(init({ keyring: 'passphrase' }), ConflictError)
    equal((await init({ databaseUrl: fresh.url, keyring: 'file' })).config, 'unchanged')
  })

  it('adds further profiles beside the one in use, which stays in use', async () => {
    await init({ databaseUrl: fresh.url })
    const second = await init({ profile: 'production', databaseUrl: empty.url }, yes)
    equal(config().currentProfile, 'default')
    deepEqual(Object.keys(config().profiles), ['default', 'production'])
    ok(second.next.every((command) => command.endsWith('--profile production')))
    ok(second.keyring.path !== join(home, 'keyring.json'), 'two databases share no keyring file')
  })

  it('keeps a URL of the environment out of config.json', async () => {
    const result = await init({}, nobody, { CLEVERCTL_DATABASE_URL: fresh.url })
    equal(result.database.mode, 'server')
    deepEqual(config().profiles['default']?.database, { mode: 'embedded' })
  })

  it('warns when the environment will win over the profile', async () => {
    const warnings: string[] = []
    const log = { ...testSurroundings({}).log, warn: (message: string) => warnings.push(message) }
    const environment = { CLEVERCTL_DATABASE_URL: empty.url }
    await init({ databaseUrl: fresh.url }, nobody, environment, { log })
    match(warnings.join(), /CLEVERCTL_DATABASE_URL is set and wins over profile default/)
  })

  it('takes the answers of a person for what no flag said', async () => {
    const asked: string[] = []
    const choose: InitQuestions['choose'] = async ({ question }) => {
      asked.push(question)
      return question.includes('keyring') ? ' file ' : fresh.url
    }
    await init({}, { ...nobody, choose })
    deepEqual(config().profiles['default']?.database, { mode: 'server', url: fresh.url })
    equal(asked.length, 2)
    await init({}, { ...nobody, choose })
    equal(asked.length, 2, 'a profile that is there is not asked about')
  })

  it('refuses a password in the flag, and a keyring that is none', async () => {
    const databaseUrl = fresh.url.replace('//postgres@', '//postgres:hunter2@')
    await rejects(
      init({ databaseUrl }),
      (error) => error instanceof UsageError && !error.message.includes('hunter2'),
    )
    const choose = async (): Promise<string> => 'vault'
    await rejects(init({ databaseUrl: fresh.url }, { ...nobody, choose }), UsageError)
    equal(existsSync(home), false)
  })

  it('asks for a new passphrase as new, and later for the one it has', async () => {
    const asked: (boolean | undefined)[] = []
    const askPassphrase = async (about?: { isNew: boolean }): Promise<Secret> => {
      asked.push(about?.isNew)
      return new Secret('a passphrase long enough')
    }
    const wishes = { databaseUrl: fresh.url, keyring: 'passphrase' }
    equal((await init(wishes, nobody, {}, { askPassphrase })).keyring.outcome, 'created')
    await init(wishes, nobody, {}, { askPassphrase })
    deepEqual(asked, [true, false])
  })

  it('takes the passphrase from a file where one is named', async () => {
    const file = join(folder, 'passphrase')
    writeFileSync(file, 'a passphrase long enough\n', { mode: 0o600 })
    const environment = { CLEVERCTL_KEYRING_PASSPHRASE_FILE: file }
    const wishes = { databaseUrl: fresh.url, keyring: 'passphrase' }
    equal((await init(wishes, nobody, environment)).keyring.outcome, 'created')
  })

  it('completes what an interrupted run left', async () => {
    const first = await init({ databaseUrl: fresh.url })
    await fresh.database.query(`delete from cleverctl.signing_key where state = 'NEXT'`)
    rmSync(join(home, 'config.json'))
    const second = await init({ databaseUrl: fresh.url })
    equal(second.config, 'written')
    equal(second.keyring.outcome, 'unchanged')
    equal(second.keyring.path, first.keyring.path)
    equal(second.signingKeys.created.length, 1)
  })

  it('side by side makes everything once', async () => {
    const results = await Promise.all(
      Array.from({ length: 4 }, () => init({ databaseUrl: fresh.url })),
    )
    equal(new Set(results.map(({ keyring }) => keyring.path)).size, 1)
    const made = results.flatMap(({ signingKeys }) => signingKeys.created)
    equal(made.length, 2)
  })
})
