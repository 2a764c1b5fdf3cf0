import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UsageError } from '../../src/lib/errors.js'
import { freePort } from '../../src/lib/free-port.js'
import { serverAccount } from '../support/cluster.js'
import { freshDatabase, openUrl, type FreshDatabase } from '../support/database.js'
import { until } from '../support/until.js'

const PGBOUNCER = '/usr/sbin/pgbouncer'
/** What PgBouncer has to be told before it takes the connections of clients that set anything. */
const LENIENT =
  'ignore_startup_parameters = statement_timeout, lock_timeout, idle_in_transaction_session_timeout, options'

describe('PgBouncer in front of the database', () => {
  let fresh: FreshDatabase
  let folder: string
  const running: ChildProcess[] = []

  before(async function () {
    if (!existsSync(PGBOUNCER)) this.skip()
    fresh = await freshDatabase()
    folder = mkdtempSync(join(tmpdir(), 'cctl-pooler-'))
    // It refuses root, and runs by an account that reads its file.
    chmodSync(folder, 0o755)
  })
  after(async () => {
    for (const each of running) {
      if (each.exitCode !== null) continue
      each.kill('SIGKILL')
      await once(each, 'exit')
    }
    await fresh?.drop()
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })

  /** Starts one before the fresh database. @returns the URL over it */
  const startPooler = async (...settings: string[]): Promise<string> => {
    const port = await freePort()
    const direct = new URL(fresh.url.replace('@/', '@localhost/'))
    const name = direct.pathname.slice(1)
    const { host, port: serverPort } = Object.fromEntries(direct.searchParams)
    const file = join(folder, `${port}.ini`)
    const lines = [
      '[databases]',
      `${name} = host=${host} port=${serverPort} user=postgres`,
      '[pgbouncer]',
      `listen_addr = 127.0.0.1\nlisten_port = ${port}\nunix_socket_dir =\nauth_type = any`,
      ...settings,
    ]
    writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o644 })
    const pooler = spawn(PGBOUNCER, [file], { ...serverAccount(), cwd: '/', stdio: 'ignore' })
    running.push(pooler)
    await until(async () => {
      assert.equal(pooler.exitCode, null, 'PgBouncer ended')
      const socket = connect(port, '127.0.0.1')
      return once(socket, 'connect').then(
        () => socket.end() !== undefined,
        () => false,
      )
    })
    return `postgres://postgres@127.0.0.1:${port}/${name}?sslmode=disable`
  }

  const isRefused = async (url: string): Promise<void> => {
    await assert.rejects(openUrl(url), (error) => {
      assert.ok(error instanceof UsageError, String(error))
      assert.equal(error.code, 'database-pooled')
      return true
    })
  }

  it('is refused as it is installed, because it does not take the settings of a session', async () => {
    await isRefused(await startPooler('pool_mode = transaction'))
  })

  for (const mode of ['transaction', 'session']) {
    it(`is refused with pool_mode=${mode} where it takes everything`, async () => {
      await isRefused(await startPooler(`pool_mode = ${mode}`, LENIENT))
    })
  }
})
