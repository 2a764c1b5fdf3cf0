import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rewriteHba, setHbaLines } from '../../../src/lib/access/hba/change.js'
import { openUrl, silentLog } from '../../support/database.js'
import { commandLines } from '../../support/process-list.js'
import { socketUrl, startPrimaryAndStandby, type PrimaryAndStandby } from '../../support/standby.js'
import { until } from '../../support/until.js'

const KILLED = fileURLToPath(new URL('../../support/killed-change.ts', import.meta.url))
/** By the unix socket the superuser still gets in. */
const LOCKS_OUT = 'host all postgres all reject'
const SOON = 2
const LATE = 100_000
const eventually = async (isSo: () => boolean | Promise<boolean>) => until(isSo, 100_000)
const WORKSPACE = { log: silentLog, signal: new AbortController().signal }

describe('a text of pg_hba.conf on trial', () => {
  let servers: PrimaryAndStandby
  let data: string
  let former: string

  const networkUrl = () =>
    `postgres://postgres@127.0.0.1:${servers.primary.port}/postgres?sslmode=disable`
  const file = () => join(data, 'pg_hba.conf')
  const rules = () => readFileSync(file(), 'utf8')
  const markers = ({ folder } = servers.primary) =>
    readdirSync(join(folder, 'data')).filter((name) => name.startsWith('cleverctl-trial-'))

  before(async () => {
    servers = await startPrimaryAndStandby()
    data = join(servers.primary.folder, 'data')
    former = rules()
  })
  after(() => servers.stop())

  const isLetIn = async () => {
    const database = await openUrl(networkUrl(), { migrations: 'ignore' })
    try {
      await database.query('select 1')
      return true
    } catch {
      return false
    } finally {
      await database.close()
    }
  }
  /** No process waits for the end of a trial of a server, and nothing of it lies there. */
  const isOver = (cluster = servers.primary) =>
    markers(cluster).length === 0 &&
    !commandLines().some(
      (line) => line.includes(cluster.folder) && line.includes('cleverctl-trial-'),
    )

  /** Puts the line at the top by a process that is killed before it tries its login. */
  async function killed(line: string, seconds: number): Promise<void> {
    const words = ['--import', 'tsx', KILLED, networkUrl(), line, String(seconds)]
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'inherit', 'inherit'] })
    deepEqual(await once(child, 'exit'), [null, 'SIGKILL'])
  }
  /** The same change, with something done before its login is tried. */
  async function change(line: string, beforeTrial: () => Promise<unknown>): Promise<void> {
    const database = await openUrl(networkUrl(), { migrations: 'ignore' })
    const pool = database.pool.bind(database)
    database.pool = async () => {
      await beforeTrial()
      return pool()
    }
    const rewrite = (text: string) => `${line}\n${text}`
    const given = { rewrite, trialSeconds: SOON }
    try {
      await rewriteHba({ host: 'db1', database }, given, WORKSPACE)
    } finally {
      await database.close()
    }
  }

  it('is taken back by the server when the program is killed before it has tried its login', async () => {
    await killed(LOCKS_OUT, SOON)
    await eventually(isLetIn)
    equal(rules(), former)
    await eventually(() => isOver())
  })

  it('is taken back by the server when the connection is lost', async () => {
    const endSessions = async () => {
      const admin = await openUrl(socketUrl(servers.primary), { migrations: 'ignore' })
      await admin.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where backend_type = 'client backend' and pid <> pg_backend_pid()`,
      )
      await admin.close()
    }
    await rejects(change(LOCKS_OUT, endSessions))
    await eventually(isLetIn)
    equal(rules(), former)
    await eventually(() => isOver())
  })

  it('is not called kept when the server has taken it back meanwhile', async () => {
    const whenTakenBack = () => eventually(() => rules() === former)
    await rejects(change('# harmless', whenTakenBack), {
      code: 'hba-not-changed',
      message: /took too long; the former text is in force again/,
    })
    equal(rules(), former)
    await eventually(() => isOver())
  })

  it('is taken back first by the next run, whose own change stays', async () => {
    await killed(LOCKS_OUT, LATE)
    ok(!(await isLetIn()))
    equal(markers().length, 1)
    const database = await openUrl(socketUrl(servers.primary), { migrations: 'ignore' })
    try {
      const line = 'host all "r" 127.0.0.1/32 scram-sha-256'
      const set = async (...lines: string[]) =>
        setHbaLines({ host: 'db1', database }, { role: 'r', lines }, WORKSPACE)
      await set(line)
      ok(rules().includes(line) && !rules().includes(LOCKS_OUT))
      ok(await isLetIn())
      await eventually(() => isOver())
      await set()
      equal(rules(), former)

      await killed('# of a run that was killed', LATE)
      // Somebody has edited it since.
      const edited = `# by hand\n${former}`
      writeFileSync(file(), edited)
      await set()
      equal(rules(), edited, 'it is not what was on trial')
      await eventually(() => isOver())
      writeFileSync(file(), former)
    } finally {
      await database.close()
    }
  })

  it('is not looked for by a login that can have left none', async () => {
    const [admin, looker] = [
      await openUrl(socketUrl(servers.primary), { migrations: 'ignore' }),
      await openUrl(socketUrl(servers.primary, 'looker'), { migrations: 'ignore' }),
    ]
    await admin.query(`create role looker login; grant select on pg_hba_file_rules to looker;
      grant execute on function pg_hba_file_rules(), pg_stat_file(text), pg_reload_conf() to looker;
      grant pg_read_all_settings to looker`)
    await setHbaLines({ host: 'db1', database: looker }, { role: 'r', lines: [] }, WORKSPACE)
    await admin.query('drop owned by looker; drop role looker')
    for (const each of [admin, looker]) await each.close()
  })

  it('leaves no process and no file when it is kept, on a standby as well', async () => {
    for (const cluster of [servers.primary, servers.standby]) {
      const database = await openUrl(socketUrl(cluster), { migrations: 'ignore' })
      const server = { host: 'db', database }
      await setHbaLines(server, { role: 'r', lines: ['host all "r" samehost reject'] }, WORKSPACE)
      await eventually(() => isOver(cluster))
      await setHbaLines(server, { role: 'r', lines: [] }, WORKSPACE)
      await eventually(() => isOver(cluster))
      await database.close()
    }
  })
})
