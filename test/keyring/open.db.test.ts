import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KeyringSettings } from '../../src/lib/config/settings.js'
import { FailureError, RefusedError, UsageError } from '../../src/lib/errors.js'
import type { KeyFile } from '../../src/lib/keyring/key-file.js'
import { openKeyring } from '../../src/lib/keyring/open.js'
import { Secret } from '../../src/lib/secret.js'
import { freshDatabase, type FreshDatabase } from '../support/database.js'

const PASSPHRASE = 'three suns over almeria'

describe('opening the keyring', () => {
  let home: string
  let fresh: FreshDatabase

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'cctl-keyring-'))
    fresh = await freshDatabase()
  })
  afterEach(async () => {
    await fresh.drop()
    rmSync(home, { recursive: true })
  })

  const keyFileContent = () => JSON.parse(readFileSync(keyFile(), 'utf8')) as KeyFile
  const keyFile = () => join(home, 'keyring.json')
  const settingsOf = (more: Partial<KeyringSettings> = {}): { keyring: KeyringSettings } => ({
    keyring: {
      provider: 'file',
      file: keyFile(),
      isNamed: false,
      passphraseFile: undefined,
      ...more,
    },
  })
  const noQuestion = () => Promise.reject(new Error('asked for a passphrase'))
  const open = (more: Partial<KeyringSettings> = {}, database = fresh.database) =>
    openKeyring({ settings: settingsOf(more), database, askPassphrase: noQuestion })
  const openWith = (passphrase: string, database = fresh.database) =>
    openKeyring({
      settings: settingsOf({ provider: 'passphrase' }),
      database,
      askPassphrase: async () => new Secret(passphrase),
    })
  const isRefused = (code: string) => (error: unknown) =>
    error instanceof RefusedError && error.code === code
  const isDamaged = (error: unknown) =>
    error instanceof FailureError && error.code === 'keyring-damaged'
  const becomeAnotherDatabase = (database = fresh.database) =>
    database.query('update cleverctl.keyring set id = gen_random_uuid()')

  it('makes the key file at the first use, for its owner alone, and opens with it what it sealed', async () => {
    const first = await open()
    const sealed = first.seal(Buffer.from('the key'), 'api-key:abc')
    const second = await open()
    assert.equal(second.open(sealed, 'api-key:abc').toString(), 'the key')
    assert.equal(statSync(keyFile()).mode & 0o777, 0o600)
    assert.deepEqual(readdirSync(home), ['keyring.json'])
    const { rows } = await fresh.database.query('select id from cleverctl.keyring_key')
    assert.deepEqual(rows, [{ id: first.currentKeyId }])
  })

  it('makes the folder of the key file, for its owner alone', async () => {
    const file = join(home, 'new', 'keys.json')
    await open({ file, isNamed: true })
    assert.equal(statSync(join(home, 'new')).mode & 0o777, 0o700)
  })

  it('ends with one key when twelve first uses happen at once', async () => {
    const keyrings = await Promise.all(Array.from({ length: 12 }, () => open()))
    const ids = new Set(keyrings.map(({ currentKeyId }) => currentKeyId))
    assert.equal(ids.size, 1)
    const sealed = keyrings.map((keyring) => keyring.seal(Buffer.from('x'), 'i'))
    for (const keyring of keyrings)
      for (const value of sealed) assert.equal(keyring.open(value, 'i').toString(), 'x')
    assert.deepEqual(readdirSync(home), ['keyring.json'])
  })

  it('ends with one key when two machines use the database first at once', async () => {
    const files = [join(home, 'a.json'), join(home, 'b.json')]
    const results = await Promise.allSettled(files.map((file) => open({ file, isNamed: true })))
    const won = results.filter(({ status }) => status === 'fulfilled')
    assert.equal(won.length, 1)
    const lost = results.find((result) => result.status === 'rejected')
    assert.ok(isRefused('keyring-missing')(lost?.reason))
    assert.equal(readdirSync(home).length, 1, 'the key that lost is gone')
    assert.equal((await fresh.database.query('select from cleverctl.keyring_key')).rowCount, 1)
  })

  it('makes no new key for a database that has a keyring whose file is missing', async () => {
    await open()
    rmSync(keyFile())
    await assert.rejects(open(), (error) => {
      assert.ok(isRefused('keyring-missing')(error))
      assert.match((error as RefusedError).suggestions.join(), /copy the keyring file/)
      return true
    })
    assert.equal(existsSync(keyFile()), false)
  })

  it('refuses the keyring of another database, whether or not this one has its own', async () => {
    await open()
    const other = await freshDatabase()
    try {
      await becomeAnotherDatabase(other.database)
      await assert.rejects(open({ isNamed: true }, other.database), isRefused('wrong-keyring'))
      await open({ file: join(home, 'other.json'), isNamed: true }, other.database)
      await assert.rejects(open({ isNamed: true }, other.database), isRefused('wrong-keyring'))
    } finally {
      await other.drop()
    }
  })

  it('keeps the keys of two databases apart in one home', async () => {
    const first = await open()
    const other = await freshDatabase()
    try {
      await becomeAnotherDatabase(other.database)
      const second = await open({}, other.database)
      assert.notEqual(second.currentKeyId, first.currentKeyId)
      assert.equal((await open({}, other.database)).currentKeyId, second.currentKeyId)
      assert.equal((await open()).currentKeyId, first.currentKeyId)
      assert.equal(readdirSync(home).length, 2)
    } finally {
      await other.drop()
    }
  })

  it('refuses a key that has the right id and the wrong bytes', async () => {
    await open()
    const content = keyFileContent()
    content.keys = content.keys.map((key) => ({
      ...key,
      key: randomBytes(32).toString('base64'),
    }))
    writeFileSync(keyFile(), JSON.stringify(content))
    await assert.rejects(open(), isRefused('wrong-keyring'))
  })

  it('refuses a key file that others may read', async () => {
    await open()
    for (const mode of [0o640, 0o604, 0o610, 0o660]) {
      chmodSync(keyFile(), mode)
      await assert.rejects(open(), isRefused('keyring-exposed'))
    }
  })

  it('says of a damaged key file that it is damaged, and never replaces it', async () => {
    await open()
    const whole = readFileSync(keyFile(), 'utf8')
    const damaged = [
      '',
      'no JSON',
      '{}',
      whole.slice(0, 40),
      whole.replace('"version": 1', '"version": 2'),
      whole.replace('"keys"', '"kees"'),
      whole.replace(/"current": "./, '"current": "zz'),
    ]
    for (const text of damaged) {
      writeFileSync(keyFile(), text)
      await assert.rejects(open(), isDamaged)
      assert.equal(readFileSync(keyFile(), 'utf8'), text)
    }
  })

  it('refuses a file that a rotation on another machine has left behind', async () => {
    await open()
    await fresh.database.query(
      `insert into cleverctl.keyring_key (id, check_value, created_at)
      values ('00000000000000ff', '', now() + interval '1 second')`,
    )
    await assert.rejects(open(), isRefused('key-missing'))
  })

  it('does not let a role that may not register a key begin a keyring', async () => {
    const role = 'keyring_gate_test'
    await fresh.database.query(`create role ${role} login in role cleverctl_gate`)
    try {
      const { openUrl } = await import('../support/database.js')
      const gate = await openUrl(fresh.url.replace('postgres@', `${role}@`))
      await assert.rejects(open({}, gate), isRefused('keyring-not-set-up'))
      assert.deepEqual(readdirSync(home), [])
      const { currentKeyId } = await open()
      assert.equal((await open({}, gate)).currentKeyId, currentKeyId)
      await gate.close()
    } finally {
      await fresh.database.query(`drop role ${role}`)
    }
  })

  describe('with a passphrase', () => {
    it('opens with the right passphrase only', async () => {
      const first = await openWith(PASSPHRASE)
      const sealed = first.seal(Buffer.from('the key'), 'i')
      const second = await openWith(PASSPHRASE)
      assert.equal(second.open(sealed, 'i').toString(), 'the key')
      await assert.rejects(openWith('another passphrase'), isRefused('wrong-passphrase'))
    })

    it('keeps no key in the file that opens anything without the passphrase', async () => {
      await openWith(PASSPHRASE)
      const content = keyFileContent()
      assert.deepEqual(
        [
          content.passphrase?.algorithm,
          content.passphrase?.memoryKiB,
          content.passphrase?.iterations,
        ],
        ['argon2id', 65536, 3],
      )
      const [key] = content.keys
      assert.ok(key && Buffer.from(key.key, 'base64').length > 32)
      assert.ok(!JSON.stringify(content).includes(PASSPHRASE))
      const { provider: _provider, passphrase: _passphrase, ...plain } = content
      writeFileSync(keyFile(), JSON.stringify({ ...plain, provider: 'file' }))
      await assert.rejects(open(), isDamaged)
      const keys = [{ ...key, key: `${key.key.slice(0, 43)}=` }]
      writeFileSync(keyFile(), JSON.stringify({ ...plain, provider: 'file', keys }))
      await assert.rejects(open(), isRefused('wrong-keyring'))
    })

    it('reads the passphrase from a file, which others must not be able to read', async () => {
      const passphraseFile = join(home, 'passphrase')
      writeFileSync(passphraseFile, `${PASSPHRASE}\n`, { mode: 0o600 })
      const first = await open({ provider: 'passphrase', passphraseFile })
      assert.equal((await openWith(PASSPHRASE)).currentKeyId, first.currentKeyId)
      chmodSync(passphraseFile, 0o644)
      await assert.rejects(open({ provider: 'passphrase', passphraseFile }), UsageError)
    })

    it('takes no short passphrase for a new keyring', async () => {
      await assert.rejects(openWith('fourteen chars'), UsageError)
      assert.deepEqual(readdirSync(home), [])
    })

    it('ends with one key when three first uses happen at once', async () => {
      const keyrings = await Promise.all([1, 2, 3].map(() => openWith(PASSPHRASE)))
      assert.equal(new Set(keyrings.map(({ currentKeyId }) => currentKeyId)).size, 1)
    })

    it('refuses to mix up a locked file and one that is not', async () => {
      await openWith(PASSPHRASE)
      await assert.rejects(open(), isRefused('keyring-provider'))
    })
  })
})
