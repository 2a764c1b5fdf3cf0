import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCli } from '../support/cli.js'

const PASSWORD = 'marker-secret-7'
const CONFIG = {
  currentProfile: 'staging',
  profiles: {
    staging: { database: { mode: 'embedded' }, keyring: { provider: 'passphrase' } },
    production: {
      database: { mode: 'server', url: `postgres://clever:${PASSWORD}@db.example.com/cleverctl` },
      keyring: { provider: 'file', file: '/etc/cleverctl/keyring.json' },
    },
  },
}

interface Listed {
  profiles: {
    name: string
    isInUse: boolean
    database: { mode: string; description: string }
    keyring: { provider: string; file: string }
  }[]
}

describe('profiles', () => {
  let home: string
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'cctl-profile-'))
  })
  afterEach(() => rmSync(home, { recursive: true }))

  const cli = (line: string, env: Record<string, string> = {}) =>
    runCli([...line.split(' '), '--json'], { home, env })
  const configure = () =>
    writeFileSync(join(home, 'config.json'), JSON.stringify(CONFIG), { mode: 0o600 })
  const inUse = async (env: Record<string, string> = {}) =>
    ((await cli('profile list', env)).json() as Listed).profiles
      .filter((profile) => profile.isInUse)
      .map(({ name }) => name)

  it('are the default one where there is no config.json', async () => {
    const { profiles } = (await cli('profile list')).json() as Listed
    assert.deepEqual(
      profiles.map(({ name, isInUse, database }) => [name, isInUse, database.mode]),
      [['default', true, 'embedded']],
    )
  })

  it('are listed without the password of a URL', async () => {
    configure()
    const result = await cli('profile list')
    const { profiles } = result.json() as Listed
    assert.deepEqual(
      profiles.map(({ name, isInUse }) => [name, isInUse]),
      [
        ['default', false],
        ['production', false],
        ['staging', true],
      ],
    )
    assert.deepEqual(profiles[1]?.keyring, {
      provider: 'file',
      file: '/etc/cleverctl/keyring.json',
    })
    assert.match(profiles[1]?.database.description ?? '', /db\.example\.com/)
    assert.ok(!result.stdout.includes(PASSWORD))
  })

  it('are in use by choice, and the environment wins', async () => {
    configure()
    const [first, second] = [
      await cli('profile use production'),
      await cli('profile use production'),
    ]
    assert.deepEqual(first.json(), { profile: 'production', former: 'staging', outcome: 'changed' })
    assert.deepEqual(second.json(), {
      profile: 'production',
      former: 'production',
      outcome: 'unchanged',
    })
    assert.deepEqual(await inUse(), ['production'])
    assert.deepEqual(await inUse({ CLEVERCTL_PROFILE: 'staging' }), ['staging'])
    const warned = await cli('profile use default', { CLEVERCTL_PROFILE: 'staging' })
    assert.match(warned.stderr, /^warning: CLEVERCTL_PROFILE is set and wins: staging$/m)
    assert.deepEqual(await inUse(), ['default'])
  })

  it('keep everything else of config.json when another is chosen', async () => {
    configure()
    await cli('profile use production')
    const written = JSON.parse(readFileSync(join(home, 'config.json'), 'utf8')) as typeof CONFIG
    assert.deepEqual(written, { ...CONFIG, currentProfile: 'production' })
  })

  it('that do not exist cannot be chosen', async () => {
    const result = await cli('profile use production')
    assert.equal(result.code, 5)
    assert.equal((result.json() as { error: { code: string } }).error.code, 'profile-not-found')
  })
})
