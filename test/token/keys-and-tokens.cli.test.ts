import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCli, runCliTty, type CliOptions } from '../support/cli.js'
import { freshDatabase, type FreshDatabase } from '../support/database.js'

interface Failure {
  error: { code: string; suggestions: string[] }
  valid?: boolean
}

describe('the commands for keys and tokens', () => {
  let fresh: FreshDatabase
  let home: string
  let plants = 42

  before(async () => {
    fresh = await freshDatabase()
    home = mkdtempSync(join(tmpdir(), 'cctl-keys-'))
  })

  after(async () => {
    await fresh.drop()
    rmSync(home, { recursive: true, force: true })
  })

  function cli(line: string, options: CliOptions = {}) {
    const env = { CLEVERCTL_DATABASE_URL: fresh.url, ...options.env }
    return runCli(line.split(' '), { home, cwd: home, ...options, env })
  }

  /** Runs with --json and expects this exit code. */
  async function json<Document>(line: string, code = 0, options: CliOptions = {}) {
    const result = await cli(`${line} --json`, options)
    assert.equal(result.code, code, result.stdout + result.stderr)
    return result.json() as Document
  }

  const file = (name: string) => join(home, name)
  const read = (name: string) => readFileSync(file(name), 'utf8')

  /** A plant with one installed device; gives the plant's code and the device's serial. */
  async function plant(): Promise<[code: string, serial: string]> {
    const number = String(++plants).padStart(4, '0')
    const [code, serial] = [`solar-${number}`, `CDX-00${number}`]
    await fresh.database.query(`
      insert into cleverctl.installation (code, name, timezone, latitude, longitude)
      values ('${code}', 'Almeria', 'Europe/Madrid', 36.84, -2.46);
      insert into cleverctl.installer (email, name, password_hash)
      values ('installer-${number}@example.com', 'Installer', 'x');
      insert into cleverctl.device (serial, model, batch, manufactured_at, secret_sha256)
      values ('${serial}', 'CleverDx', 'B-1', '2026-01-01', sha256('x'));
      insert into cleverctl.placement (device_id, installation_id, installer_id, during)
      select device.id, installation.id, installer.id, tstzrange('2026-02-01', null)
      from cleverctl.device, cleverctl.installation, cleverctl.installer
      where serial = '${serial}' and code = '${code}' and email = 'installer-${number}@example.com'`)
    return [code, serial]
  }

  it('api-key issue writes the key and a newline to a file for the user alone, and nowhere else', async () => {
    const [code] = await plant()
    const result = await cli(`api-key issue ${code} --output ${code}.txt --json`)
    assert.equal(result.code, 0, result.stderr)
    assert.match(read(`${code}.txt`), /^clv_live_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}\n$/)
    assert.equal(statSync(file(`${code}.txt`)).mode & 0o777, 0o600)
    const { keyId, ...rest } = result.json() as { keyId: string; createdAt: string }
    assert.equal(keyId, read(`${code}.txt`).slice(9, 17))
    assert.deepEqual(rest, {
      installation: code,
      version: 1,
      createdAt: rest.createdAt,
      expiresAt: null,
    })
    assert.ok(!(result.stdout + result.stderr).includes(read(`${code}.txt`).slice(18, 61)))
  })

  it('api-key issue never overwrites a file, and then makes no key', async () => {
    const [code] = await plant()
    writeFileSync(file('mine.txt'), 'mine')
    const failure = await json<Failure>(`api-key issue ${code} --output mine.txt`, 6)
    assert.equal(failure.error.code, 'file-exists')
    assert.equal(read('mine.txt'), 'mine')
    assert.deepEqual((await json<{ apiKeys: [] }>(`api-key list ${code}`)).apiKeys, [])
  })

  it('api-key issue and rotate complete what a kill between commit and clean-up left behind', async () => {
    const [code] = await plant()
    const made = await json<{ keyId: string }>(`api-key issue ${code} --output killed.txt`)
    linkSync(file('killed.txt'), file('killed.txt.pending'))
    assert.deepEqual(await json(`api-key issue ${code} --output killed.txt`), made)
    assert.equal(existsSync(file('killed.txt.pending')), false)
    const rotated = await json(`api-key rotate ${code} --output killed2.txt`)
    linkSync(file('killed2.txt'), file('killed2.txt.pending'))
    assert.deepEqual(await json(`api-key rotate ${code} --output killed2.txt`), rotated)
    const { apiKeys } = await json<{ apiKeys: object[] }>(`api-key list ${code}`)
    assert.equal(apiKeys.length, 2)
  })

  it('api-key issue replaces the file of a run that was killed before its commit', async () => {
    const [code] = await plant()
    const orphan = `clv_live_AAAAAAAA_${'A'.repeat(43)}_000000\n`
    writeFileSync(file('orphan.txt.pending'), orphan, { mode: 0o600 })
    linkSync(file('orphan.txt.pending'), file('orphan.txt'))
    await json(`api-key issue ${code} --output orphan.txt`)
    assert.notEqual(read('orphan.txt'), orphan)
    assert.equal(existsSync(file('orphan.txt.pending')), false)
  })

  it('api-key issue shows the key in a terminal, or with --reveal, and else makes none', async () => {
    const key = /clv_live_\w{8}_\w{43}_\w{6}/
    const [shown] = await plant()
    const env = { CLEVERCTL_DATABASE_URL: fresh.url }
    const terminal = await runCliTty(['api-key', 'issue', shown], { home, env, separate: true })
    assert.equal(terminal.code, 0)
    assert.match(terminal.stdout, key)
    const [revealed] = await plant()
    const { apiKey } = await json<{ apiKey: string }>(`api-key issue ${revealed} --reveal`)
    assert.match(apiKey, key)
    const [withheld] = await plant()
    const { error } = await json<Failure>(`api-key issue ${withheld}`, 2)
    assert.match(error.suggestions.join(), /--output.*--reveal/)
    const text = await cli(`api-key issue ${withheld}`)
    assert.equal(text.code, 2)
    assert.equal(text.stdout, '')
    const list = await json<{ apiKeys: object[] }>(`api-key list ${withheld}`)
    assert.deepEqual(list.apiKeys, [])
  })

  it('api-key issue names rotate where a key exists, and rotate names issue where none does', async () => {
    const [code] = await plant()
    const early = await json<Failure>(`api-key rotate ${code} --grace 24h --output no.txt`, 6)
    assert.deepEqual(early.error.suggestions, [`cleverctl api-key issue ${code} --output key.txt`])
    await json(`api-key issue ${code} --output once.txt --expires-in 365d`)
    const late = await json<Failure>(`api-key issue ${code} --output no.txt`, 6)
    assert.deepEqual(late.error.suggestions, [`cleverctl api-key rotate ${code} --output key2.txt`])
  })

  it('api-key rotate overlaps, revoke ends, list tells', async () => {
    const [code, serial] = await plant()
    await json(`api-key issue ${code} --output r1.txt`)
    const rotated = await json<{ grace: { keyId: string; graceUntil: string }[] }>(
      `api-key rotate ${code} --grace 24h --output r2.txt`,
    )
    const first = read('r1.txt').slice(9, 17)
    assert.equal(rotated.grace[0]?.keyId, first)
    const left = Date.parse(rotated.grace[0].graceUntil) - Date.now()
    assert.ok(Math.abs(left - 86_400_000) < 60_000)
    await json(`api-key rotate ${code} --grace 0 --output r3.txt`)
    const third = read('r3.txt').slice(9, 17)
    const revoked = await json(`api-key revoke ${code} --key ${third} --reason leaked --yes`)
    assert.deepEqual(revoked, {
      installation: code,
      revoked: [third],
      unchanged: [],
      currentKeyId: null,
      dark: [{ serial, lastSeenAt: null, lastKeyId: null }],
    })
    const list = await cli(`api-key list ${code}`)
    const states = list.stdout.split('\n').map((line) => line.split('\t').slice(0, 3).join(' '))
    assert.deepEqual(states.slice(0, 3), [
      `3 ${third} REVOKED`,
      `2 ${read('r2.txt').slice(9, 17)} RETIRED`,
      `1 ${first} RETIRED`,
    ])
    for (const name of ['r1.txt', 'r2.txt', 'r3.txt']) {
      assert.ok(!list.stdout.includes(read(name).slice(18, 61)))
    }
  })

  it('api-key revoke wants a confirmation, and one of --key and --all', async () => {
    const [code] = await plant()
    await json(`api-key issue ${code} --output v1.txt`)
    await json(`api-key revoke ${code} --all --reason leaked`, 2)
    await json(`api-key revoke ${code} --reason leaked --yes`, 2)
    await json(`api-key revoke ${code} --all --key abcd1234 --reason leaked --yes`, 2)
    await json(`api-key revoke ${code} --all --yes`, 2)
    await json(`api-key revoke ${code} --key abcd1234 --reason leaked --yes`, 5)
    const { apiKeys } = await json<{ apiKeys: { state: string }[] }>(`api-key list ${code}`)
    assert.deepEqual(
      apiKeys.map(({ state }) => state),
      ['CURRENT'],
    )
  })

  it('api-key says 5 for an unknown installation and 6 for a retired one', async () => {
    await json('api-key issue solar-9999 --output no.txt', 5)
    await json('api-key list solar-9999', 5)
    const [code] = await plant()
    await fresh.database.query(
      'update cleverctl.installation set retired_at = now() where code = $1',
      [code],
    )
    await json(`api-key issue ${code} --output no.txt`, 6)
  })

  it('token issue writes the token for the device where it stands; inspect says that every rule holds', async () => {
    const [code, serial] = await plant()
    const issued = await json<Record<string, unknown>>(
      `token issue ${serial} --ttl 5m --output t1.txt`,
    )
    assert.equal(issued['installation'], code)
    assert.equal(issued['expiresIn'], 300)
    assert.equal(statSync(file('t1.txt')).mode & 0o777, 0o600)
    const token = read('t1.txt').trim()
    assert.match(token, /^[\w-]+\.[\w-]+\.[\w-]{86}$/)
    const byFile = await json<{ valid: boolean; rules: { verdict: string }[]; claims: object }>(
      'token inspect --token-file t1.txt',
    )
    assert.equal(byFile.valid, true)
    assert.ok(byFile.rules.every(({ verdict }) => verdict === 'pass'))
    assert.deepEqual(
      await json('token inspect', 0, { input: `${token}\n` }),
      await json('token inspect --token-file -', 0, { input: token }),
    )
    const text = await cli('token inspect', { input: token })
    for (const part of token.split('.')) assert.ok(!(text.stdout + text.stderr).includes(part))
  })

  it('token inspect exits with 8 for a token that is over, revoked, altered or none at all', async () => {
    const [code, serial] = await plant()
    const verdict = async (input: string) => {
      const { error, valid } = await json<Failure>('token inspect', 8, { input })
      assert.equal(error.code, 'token-invalid')
      assert.equal(valid, false)
      const text = await cli('token inspect', { input })
      assert.equal(text.code, 8)
      const failed = text.stdout.split('\n').filter((line) => line.startsWith('fail\t'))
      return failed.map((line) => line.split('\t')[1]).join(' ')
    }
    await json(`token issue ${serial} --ttl 1s --output short.txt`)
    await json(`token issue ${serial} --output long.txt`)
    const [short, long] = [read('short.txt'), read('long.txt')]
    const deadline = Date.now() + 10_000
    while ((await cli('token inspect', { input: short })).code === 0) {
      assert.ok(Date.now() < deadline, 'never expires')
    }
    assert.equal(await verdict(short), 'T_EXPIRED')
    await json(`token revoke --device ${serial} --yes`)
    assert.equal(await verdict(long), 'T_EPOCH')
    await json(`token revoke --installation ${code} --yes`)
    assert.equal(await verdict(long), 'T_EPOCH')
    assert.equal(await verdict(`${long.trim()}A`), 'T_FORMAT')
    assert.equal(await verdict('hunter2'), 'T_FORMAT')
    assert.equal(await verdict('a'.repeat(60_000)), 'T_FORMAT')
  })

  it('token inspect refuses a file that others can read, and an empty one', async () => {
    writeFileSync(file('open.txt'), 'token\n')
    chmodSync(file('open.txt'), 0o644)
    await json('token inspect --token-file open.txt', 2)
    await json('token inspect', 2, { input: '' })
  })

  it('token issue says 5 for a device that was never made, 4 for one that may not send, 2 for a bad life', async () => {
    const [, serial] = await plant()
    await json('token issue CDX-999999 --output no.txt', 5)
    await json(`token issue ${serial} --ttl 61m --output no.txt`, 2)
    await json(`token issue ${serial} --ttl 0 --output no.txt`, 2)
    await fresh.database.query(
      `delete from cleverctl.placement using cleverctl.device
       where device.id = device_id and serial = $1`,
      [serial],
    )
    const failure = await json<Failure>(`token issue ${serial} --output no.txt`, 4)
    assert.equal(failure.error.code, 'device-not-installed')
    await fresh.database.query(
      "update cleverctl.device set revoked_at = now(), revoke_reason = 'stolen' where serial = $1",
      [serial],
    )
    await json(`token issue ${serial} --output no.txt`, 4)
  })

  it('token revoke wants a confirmation, and one of --device and --installation', async () => {
    const [code, serial] = await plant()
    await json(`token revoke --device ${serial}`, 2)
    await json('token revoke --yes', 2)
    await json(`token revoke --device ${serial} --installation ${code} --yes`, 2)
    await json('token revoke --device CDX-999999 --yes', 5)
    await json('token revoke --installation solar-9999 --yes', 5)
    assert.deepEqual(await json(`token revoke --device ${serial} --yes`), {
      device: serial,
      tokenEpoch: 1,
    })
  })

  it('signing-key rotate and list move one key on, and refuse to do it too soon', async () => {
    const before = await json<{ next: string }>('signing-key rotate --now')
    const rotation = await json<{ active: string; next: string }>('signing-key rotate --now')
    assert.equal(rotation.active, before.next)
    const { signingKeys } = await json<{ signingKeys: { kid: string; state: string }[] }>(
      'signing-key list',
    )
    const stateOf = (kid: string) => signingKeys.find((key) => key.kid === kid)?.state
    assert.equal(stateOf(rotation.active), 'ACTIVE')
    assert.equal(stateOf(rotation.next), 'NEXT')
    const failure = await json<Failure>('signing-key rotate', 6)
    assert.equal(failure.error.code, 'signing-key-too-new')
    const urgent = await json<{ active: string }>('signing-key rotate --now')
    assert.equal(urgent.active, rotation.next)
    await json('signing-key rotate --compromised', 2)
    const anew = await json<{ revoked: string[] }>('signing-key rotate --compromised --yes')
    assert.ok(anew.revoked.includes(urgent.active))
    const list = await cli('signing-key list')
    assert.ok(!/"d"|PRIVATE/.test(list.stdout))
  })
})
