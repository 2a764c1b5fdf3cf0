import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ExitCode } from '../../src/lib/errors.js'
import type { KeyFile } from '../../src/lib/keyring/key-file.js'
import { openKeyring } from '../../src/lib/keyring/open.js'
import type { KeyringRotation } from '../../src/lib/keyring/rotate.js'
import type { KeyringReport } from '../../src/lib/keyring/status.js'
import { runCli } from '../support/cli.js'
import { freshDatabase, type FreshDatabase } from '../support/database.js'
import { insertSealedRows, openSealedRows } from '../support/sealed-rows.js'

describe('the keyring commands', () => {
  let fresh: FreshDatabase
  let home: string
  let file: string

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'cctl-keyring-'))
    file = join(home, 'keyring.json')
    fresh = await freshDatabase()
  })
  afterEach(async () => {
    await fresh.drop()
    rmSync(home, { recursive: true })
  })

  const keyring = (words: string[], env: Record<string, string> = {}) =>
    runCli(['keyring', ...words], { home, env: { CLEVERCTL_DATABASE_URL: fresh.url, ...env } })
  const open = () =>
    openKeyring({
      settings: { keyring: { provider: 'file', file, isNamed: false, passphraseFile: undefined } },
      database: fresh.database,
      askPassphrase: () => Promise.reject(new Error('asked')),
    })
  const secretsOf = () =>
    (JSON.parse(readFileSync(file, 'utf8')) as KeyFile).keys.map(({ key }) => key)

  it('status shows the keys, rotate seals anew, and neither shows a key itself', async () => {
    const before = await open()
    await insertSealedRows(fresh.database, before, [1])
    const secrets = secretsOf()
    const rotated = await keyring(['rotate', '--json'])
    assert.equal(rotated.code, ExitCode.ok)
    const rotation = rotated.json() as KeyringRotation
    assert.deepEqual(
      [rotation.outcome, rotation.retired, rotation.resealed, rotation.file],
      ['rotated', [before.currentKeyId], 7, file],
    )
    assert.match(rotated.stderr, /^profile default · /m)
    assert.match(rotated.stderr, /copy .*keyring\.json to every other machine/)
    await openSealedRows(fresh.database, await open())

    const status = await keyring(['status', '--json'])
    assert.equal(status.code, ExitCode.ok)
    const { keys } = status.json() as KeyringReport
    assert.deepEqual(
      keys.map(({ id, state }) => [id, state]),
      [
        [before.currentKeyId, 'retired'],
        [rotation.keyId, 'current'],
      ],
    )
    const text = await keyring(['status'])
    assert.match(text.stdout, new RegExp(`^${rotation.keyId}\tcurrent\tyes\t`, 'm'))
    const everything = [rotated, status, text].map(({ stdout, stderr }) => stdout + stderr).join('')
    for (const secret of [...secrets, ...secretsOf()]) assert.ok(!everything.includes(secret))
  })

  it('rotate --prepare only adds the key', async () => {
    const { currentKeyId } = await open()
    const { code, json } = await keyring(['rotate', '--prepare', '--json'])
    assert.equal(code, ExitCode.ok)
    assert.equal((json() as KeyringRotation).outcome, 'prepared')
    assert.equal((await open()).currentKeyId, currentKeyId)
    assert.equal(secretsOf().length, 2)
  })

  it('status: exit 8 when the file is missing; rotate: exit 4, and makes none', async () => {
    await open()
    rmSync(file)
    const status = await keyring(['status', '--json'])
    assert.equal(status.code, ExitCode.findings)
    const rotate = await keyring(['rotate'])
    assert.equal(rotate.code, ExitCode.refused)
    assert.match(rotate.stderr, /hint: copy the keyring file/)
    assert.throws(() => readFileSync(file))
  })

  it('a wrong passphrase is exit 4, a right one from a file opens', async () => {
    const passphrase = join(home, 'passphrase')
    writeFileSync(passphrase, 'three suns over almeria\n', { mode: 0o600 })
    writeFileSync(
      join(home, 'config.json'),
      JSON.stringify({
        currentProfile: 'default',
        profiles: {
          default: { database: { mode: 'embedded' }, keyring: { provider: 'passphrase' } },
        },
      }),
    )
    const env = { CLEVERCTL_KEYRING_PASSPHRASE_FILE: passphrase }
    assert.equal((await keyring(['rotate'], env)).code, ExitCode.ok)
    writeFileSync(passphrase, 'three moons over almeria\n')
    const wrong = await keyring(['rotate'], env)
    assert.equal(wrong.code, ExitCode.refused)
    assert.match(wrong.stderr, /wrong passphrase/)
    const unasked = await keyring(['rotate'])
    assert.equal(unasked.code, ExitCode.usage)
    assert.match(unasked.stderr, /CLEVERCTL_KEYRING_PASSPHRASE_FILE/)
  })

  it('the file may be shared: CLEVERCTL_KEYRING_FILE names it', async () => {
    const shared = join(home, 'shared.json')
    const env = { CLEVERCTL_KEYRING_FILE: shared }
    assert.equal((await keyring(['rotate'], env)).code, ExitCode.ok)
    const status = (await keyring(['status', '--json'], env)).json() as KeyringReport
    assert.deepEqual([status.file, status.problems], [shared, []])
  })
})
