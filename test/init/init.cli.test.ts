import { deepEqual, equal, match } from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Diagnosis } from '../../src/lib/doctor/diagnose.js'
import type { Initialised } from '../../src/lib/init/initialise.js'
import { runCli, runCliTty } from '../support/cli.js'
import { freshDatabase } from '../support/database.js'
import { EmbeddedHome } from '../support/embedded.js'

describe('cleverctl init, doctor and status on a fresh machine', () => {
  let home: EmbeddedHome

  beforeEach(() => {
    home = new EmbeddedHome()
  })
  afterEach(() => home.remove())

  it('need no question: init sets up, doctor finds all well, status tells what to do', async () => {
    const init = await home.run(['init', '--no-input', '--json'])
    equal(init.code, 0, init.stderr)
    const first = JSON.parse(init.stdout) as Initialised
    equal(first.database.mode, 'embedded')
    equal(first.signingKeys.created.length, 2)

    const again = await home.run(['init', '--no-input'])
    equal(again.code, 0, again.stderr)
    match(again.stdout, /^profile\tdefault \(unchanged\)$/m)
    match(again.stdout, /^signing keys\tunchanged$/m)

    const doctor = await home.run(['doctor', '--json'])
    equal(doctor.code, 0, doctor.stdout)
    const { checks } = JSON.parse(doctor.stdout) as Diagnosis
    deepEqual(
      checks.filter(({ id, verdict }) => verdict !== 'ok' && id !== 'disk'),
      [],
    )
    match(checks.find(({ id }) => id === 'database')?.detail ?? '', /runs with the programs in /)

    const status = await home.run(['status'])
    match(status.stdout, /^next\tthere is no installation: cleverctl installation create /m)
  })

  it('ask in a terminal where the data is to be, and take the return key for the usual', async () => {
    const result = await runCliTty(['init'], {
      home: home.folder,
      answers: [
        { expect: /Where to keep the data.*embedded/, send: '\r' },
        { expect: /What guards the keyring.*file/, send: '\r' },
      ],
    })
    equal(result.code, 0, result.stdout)
    const config = JSON.parse(readFileSync(join(home.folder, 'config.json'), 'utf8')) as object
    deepEqual(config, {
      currentProfile: 'default',
      profiles: { default: { database: { mode: 'embedded' }, keyring: { provider: 'file' } } },
    })
  })

  it('leave nothing behind when the questions are cancelled', async () => {
    const result = await runCliTty(['init'], {
      home: home.folder,
      answers: [{ expect: /Where to keep the data/, send: '\x03' }],
    })
    equal(result.code, 130)
    equal(existsSync(home.folder), false)
  })
})

describe('cleverctl init for a server', () => {
  it('is ready at once where the schema is, and refuses another server under the same name', async () => {
    const fresh = await freshDatabase()
    const home = new EmbeddedHome()
    const init = (url: string): ReturnType<typeof runCli> =>
      runCli(['init', '--profile', 'production', '--database-url', url, '--json'], {
        home: home.folder,
      })
    const first = await init(fresh.url)
    const other = await init(fresh.url.replace('postgres@', 'someone@'))
    const status = await home.run(['status', '--profile', 'production', '--json'])
    await home.remove()
    await fresh.drop()
    equal(first.code, 0, first.stderr)
    equal(other.code, 6)
    match(other.stdout, /"profile-differs"/)
    equal(status.code, 0, status.stderr)
  })
})

describe('cleverctl doctor', () => {
  it('ends with 8 when a check failed, and says the same to programs', async () => {
    const fresh = await freshDatabase()
    const env = { CLEVERCTL_DATABASE_URL: fresh.url }
    const text = await runCli(['doctor'], { env })
    const json = await runCli(['doctor', '--json'], { env })
    await fresh.drop()
    deepEqual([text.code, json.code], [8, 8])
    match(text.stdout, /^failure\tkeyring\tthere is no keyring yet\tcleverctl init$/m)
    const { error, checks } = json.json() as Diagnosis & { error: { code: string } }
    equal(error.code, 'checks-failed')
    equal(checks.length, text.stdout.trimEnd().split('\n').length)
  })

  it('ends with 7 when the database is out of reach and no check failed', async () => {
    const { code, stdout } = await runCli(['doctor'])
    equal(code, 7)
    match(stdout, /^not-checked\tdatabase\tcannot reach /m)
  })
})
