import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CliResult, runCli, runCliTty } from '../support/cli.js'
import { freshDatabase, type FreshDatabase } from '../support/database.js'

const EMAIL = 'installer@example.com'
const PASSWORD = 'four quiet roofs sing'

describe('cleverctl installer', () => {
  let fresh: FreshDatabase
  let folder: string
  let env: Record<string, string>

  beforeEach(async () => {
    fresh = await freshDatabase()
    folder = mkdtempSync(join(tmpdir(), 'cctl-installer-'))
    env = { CLEVERCTL_DATABASE_URL: fresh.url }
    await fresh.database.query(
      `insert into cleverctl.installation (code, name, timezone, latitude, longitude)
       select code, code, 'Europe/Madrid', 36.84, -2.46 from unnest(array['solar-0042', 'solar-0043']) as code`,
    )
  })
  afterEach(async () => {
    rmSync(folder, { recursive: true })
    await fresh.drop()
  })

  const installer = (words: string[], input?: string): Promise<CliResult> =>
    runCli(['installer', ...words], { env, ...(input === undefined ? {} : { input }) })
  const passwordFile = (mode = 0o600): string => {
    const path = join(folder, 'password.txt')
    writeFileSync(path, `${PASSWORD}\n`)
    chmodSync(path, mode)
    return path
  }
  const add = (...words: string[]): Promise<CliResult> =>
    installer(['add', EMAIL, '--name', 'Installer', '--password-file', passwordFile(), ...words])

  it('adds from a file, says so once and never shows the password', async () => {
    const first = await add('--json')
    equal(first.code, 0, first.stderr)
    deepEqual(first.json(), { email: EMAIL, name: 'Installer', outcome: 'added' })
    const again = await add()
    deepEqual([again.code, again.stdout], [0, `installer ${EMAIL} unchanged\n`])
    for (const { stdout, stderr } of [first, again]) ok(!(stdout + stderr).includes(PASSWORD))
  })

  it('adds from stdin, read to its end', async () => {
    const words = ['add', EMAIL, '--name', 'Installer', '--password-file', '-', '--json']
    const first = await installer(words, `${PASSWORD}\n`)
    deepEqual(first.json(), { email: EMAIL, name: 'Installer', outcome: 'added' })
    deepEqual((await add('--json')).json(), {
      email: EMAIL,
      name: 'Installer',
      outcome: 'unchanged',
    })
  })

  it('asks in a terminal twice, without showing what is typed', async () => {
    const result = await runCliTty(['installer', 'add', EMAIL, '--name', 'Installer'], {
      env,
      answers: [
        { expect: /Password/, send: `${PASSWORD}\r` },
        { expect: /same password again/, send: `${PASSWORD}\r` },
      ],
    })
    equal(result.code, 0, result.stdout)
    ok(!result.raw.includes(PASSWORD))
    deepEqual((await add('--json')).json(), {
      email: EMAIL,
      name: 'Installer',
      outcome: 'unchanged',
    })
  })

  it('refuses a password file open to others, a short password and a missing one with exit 2', async () => {
    const words = ['add', EMAIL, '--name', 'Installer']
    const open = await installer([...words, '--password-file', passwordFile(0o644)])
    const short = await installer([...words, '--password-file', '-'], 'short\n')
    const missing = await installer(words)
    deepEqual([open.code, short.code, missing.code], [2, 2, 2])
    match(missing.stderr, /--password-file/)
    const { rows } = await fresh.database.query('select from cleverctl.installer')
    equal(rows.length, 0)
  })

  it('tells a clash by exit 6 and the next command', async () => {
    await add()
    const clash = await installer(
      ['add', EMAIL, '--name', 'Somebody', '--password-file', '-'],
      PASSWORD,
    )
    equal(clash.code, 6)
    match(clash.stderr, /another name/)
    const other = await installer(
      ['add', EMAIL, '--name', 'Installer', '--password-file', '-'],
      'five loud cellars hum',
    )
    match(other.stderr, /hint: cleverctl installer reset-password/)
  })

  it('assigns, lists for people, pipes and programs, and unassigns', async () => {
    await add()
    const assigned = await installer(['assign', EMAIL, 'solar-0042', 'solar-0043', '--json'])
    deepEqual(assigned.json(), {
      email: EMAIL,
      assigned: ['solar-0042', 'solar-0043'],
      unchanged: [],
    })
    const list = await installer(['list'])
    equal(list.stdout, `${EMAIL}\tInstaller\t2\tenabled\t-\n`)
    const terminal = await runCliTty(['installer', 'list', '--installation', 'solar-0042'], { env })
    match(terminal.stdout, /EMAIL +NAME +INSTALLATIONS/)
    const unassigned = await installer(['unassign', EMAIL, 'solar-0043', '--json'])
    deepEqual(unassigned.json(), { email: EMAIL, unassigned: ['solar-0043'], unchanged: [] })
    const { installers } = (await installer(['list', '--json'])).json() as {
      installers: { installations: string[] }[]
    }
    deepEqual(
      installers.map(({ installations }) => installations),
      [['solar-0042']],
    )
  })

  it('names what it cannot find by exit 5', async () => {
    const unknown = await installer(['assign', EMAIL, 'solar-0042'])
    deepEqual([unknown.code, unknown.stdout], [5, ''])
    await add()
    const nowhere = await installer(['assign', EMAIL, 'solar-0042', 'solar-9999', '--json'])
    equal(nowhere.code, 5)
    const { error } = nowhere.json() as { error: { code: string; message: string } }
    deepEqual([error.code, /solar-9999/.test(error.message)], ['installation-not-found', true])
  })

  it('disables with a yes only, and resets the password of a disabled installer only when told', async () => {
    await add()
    equal((await installer(['disable', EMAIL])).code, 2)
    equal((await installer(['disable', EMAIL, '--yes'])).stdout, `installer ${EMAIL} disabled\n`)
    equal((await installer(['disable', EMAIL, '--yes'])).stdout, `installer ${EMAIL} unchanged\n`)
    const reset = (...words: string[]): Promise<CliResult> =>
      installer(['reset-password', EMAIL, '--password-file', passwordFile(), ...words])
    equal((await reset()).code, 6)
    match((await reset('--enable')).stdout, /password reset, enabled again/)
  })
})
