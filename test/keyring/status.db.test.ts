import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KeyringSettings } from '../../src/lib/config/settings.js'
import { FindingsError } from '../../src/lib/errors.js'
import type { KeyFile } from '../../src/lib/keyring/key-file.js'
import { openKeyring } from '../../src/lib/keyring/open.js'
import { rotateKeyring } from '../../src/lib/keyring/rotate.js'
import { keyringStatus, type KeyringReport } from '../../src/lib/keyring/status.js'
import { Secret } from '../../src/lib/secret.js'
import { freshDatabase, testWorkspace, type FreshDatabase } from '../support/database.js'
import { memoryKeyring } from '../support/memory-keyring.js'
import { insertSealedRows } from '../support/sealed-rows.js'

describe('the status of the keyring', () => {
  let home: string
  let file: string
  let fresh: FreshDatabase

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'cctl-status-'))
    file = join(home, 'keyring.json')
    fresh = await freshDatabase()
  })
  afterEach(async () => {
    await fresh.drop()
    rmSync(home, { recursive: true })
  })

  const settings = (provider: KeyringSettings['provider'] = 'file') => ({
    keyring: { provider, file, isNamed: true, passphraseFile: undefined },
  })
  const access = (provider: KeyringSettings['provider'] = 'file') => ({
    settings: settings(provider),
    database: fresh.database,
    askPassphrase: async () => new Secret('three suns over almeria'),
  })
  const status = async (provider: KeyringSettings['provider'] = 'file'): Promise<KeyringReport> => {
    try {
      return await keyringStatus(testWorkspace(fresh.database), settings(provider))
    } catch (error) {
      assert.ok(error instanceof FindingsError, String(error))
      const report = error.result as KeyringReport
      assert.ok(report.problems.length > 0)
      return report
    }
  }
  const states = ({ keys }: KeyringReport) =>
    keys.map(({ state, inFile, sealedRows }) => [
      state,
      inFile,
      sealedRows['signingKey'],
      sealedRows['apiKey'],
    ])

  it('makes nothing where there is nothing yet', async () => {
    assert.deepEqual(await status(), {
      provider: 'file',
      file,
      isSetUp: false,
      keys: [],
      problems: [],
    })
    assert.deepEqual(readdirSync(home), [])
  })

  it('names each key and counts what it seals', async () => {
    const keyring = await openKeyring(access())
    await insertSealedRows(fresh.database, keyring, [1])
    const report = await status()
    assert.deepEqual(report.problems, [])
    assert.deepEqual(
      report.keys.map(({ id }) => id),
      [keyring.currentKeyId],
    )
    assert.deepEqual(states(report), [['current', true, 1, 1]])
  })

  it('tells prepared, current and retired keys', async () => {
    await insertSealedRows(fresh.database, await openKeyring(access()), [1])
    const rotate = (prepareOnly: boolean) =>
      rotateKeyring(testWorkspace(fresh.database), { ...access(), prepareOnly })
    await rotate(true)
    assert.deepEqual(states(await status()), [
      ['current', true, 1, 1],
      ['prepared', true, 0, 0],
    ])
    await rotate(false)
    assert.deepEqual(states(await status()), [
      ['retired', false, 0, 0],
      ['current', true, 1, 1],
    ])
  })

  it('finds a missing file, a foreign one, an open one and a damaged one', async () => {
    const keyring = await openKeyring(access())
    await insertSealedRows(fresh.database, keyring, [1])
    const content = JSON.parse(readFileSync(file, 'utf8')) as KeyFile
    const problemOf = async (change: () => void) => {
      change()
      const { problems } = await status()
      writeFileSync(file, JSON.stringify(content), { mode: 0o600 })
      chmodSync(file, 0o600)
      return problems.join('; ')
    }
    assert.match(
      await problemOf(() => rmSync(file)),
      /is not there; key \w+ is not in the file, and 7 rows/,
    )
    const key = { ...content.keys[0], id: '00000000000000aa' }
    const foreign = { ...content, keyring: 'another', current: key.id, keys: [key] }
    assert.match(
      await problemOf(() => writeFileSync(file, JSON.stringify(foreign))),
      /wrong keyring/,
    )
    assert.match(await problemOf(() => chmodSync(file, 0o644)), /open to group or world/)
    assert.match(await problemOf(() => writeFileSync(file, '{')), /damaged/)
    const wrong = content.keys.map((one) => ({ ...one, key: randomBytes(32).toString('base64') }))
    const changed = JSON.stringify({ ...content, keys: wrong })
    assert.match(
      await problemOf(() => writeFileSync(file, changed)),
      /not the one that the database knows/,
    )
    assert.deepEqual((await status()).problems, [])
  })

  it('finds rows sealed by a key that is nowhere', async () => {
    await openKeyring(access())
    await insertSealedRows(fresh.database, memoryKeyring(), [1])
    const report = await status()
    assert.match(report.problems.join(), /and 7 rows are sealed by it/)
    assert.deepEqual(states(report), [
      ['current', true, 0, 0],
      ['unknown', false, 1, 1],
    ])
  })

  it('asks for no passphrase, and finds a profile that says the wrong thing', async () => {
    await openKeyring(access('passphrase'))
    const report = await status('passphrase')
    assert.deepEqual([report.provider, report.problems], ['passphrase', []])
    assert.match((await status('file')).problems.join(), /provider is passphrase/)
  })
})
