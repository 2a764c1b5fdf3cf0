import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { resolveSettings } from '../../src/lib/config/settings.js'
import { openDatabase } from '../../src/lib/database/open.js'
import { ConflictError, RefusedError, UnreachableError, UsageError } from '../../src/lib/errors.js'
import type { ExpectedError } from '../../src/lib/errors.js'
import { CertificateAuthority } from '../support/certificates.js'
import { startCluster } from '../support/cluster.js'
import { openUrl, silentLog } from '../support/database.js'
import { until } from '../support/until.js'
import { startServer } from '../support/server.js'
import type { TestServer } from '../support/server.js'

describe('a server with TLS and SCRAM', () => {
  let server: TestServer
  let folder: string

  before(async () => {
    server = await startServer({ settings: ["listen_addresses = 'localhost, 127.0.0.2'"] })
    folder = mkdtempSync(join(tmpdir(), 'cctl-server-'))
  })
  after(async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  /** The staff's URL with other parameters. */
  const url = (parameters: string, host = 'localhost'): string =>
    server.url('staff').replace(/\?.*/, `?${parameters}`).replace('@localhost', `@${host}`)
  const root = (): string => `sslrootcert=${encodeURIComponent(server.rootCertificate ?? '')}`
  const isEncrypted = async (address: string): Promise<boolean> => {
    const database = await openUrl(address)
    const { rows } = await database.query<{ ssl: boolean }>(
      'select ssl from pg_stat_ssl where pid = pg_backend_pid()',
    )
    await database.close()
    return rows[0]?.ssl === true
  }
  const refused = (code: string) => (error: unknown) => {
    assert.ok(error instanceof RefusedError, inspect(error))
    assert.equal(error.code, code)
    return true
  }

  for (const mode of ['prefer', 'require', 'verify-ca', 'verify-full', 'allow']) {
    it(`is reached with sslmode=${mode}, encrypted`, async () => {
      assert.equal(await isEncrypted(url(`sslmode=${mode}&${root()}`)), true)
    })
  }

  it('is reached encrypted when nothing is said of TLS', async () => {
    assert.equal(await isEncrypted(url('')), true)
  })

  for (const mode of ['require', 'verify-ca', 'verify-full']) {
    it(`is refused with sslmode=${mode} when another authority is trusted`, async () => {
      const other = new CertificateAuthority('somebody else')
      const address = url(`sslmode=${mode}&sslrootcert=${encodeURIComponent(other.certificate)}`)
      await assert.rejects(openUrl(address), refused('server-certificate'))
      other.remove()
    })
  }

  it('is refused with verify-full under a name that its certificate does not have', async () => {
    await assert.rejects(
      openUrl(url(`sslmode=verify-full&${root()}`, '127.0.0.2')),
      refused('server-certificate'),
    )
    assert.equal(await isEncrypted(url(`sslmode=verify-ca&${root()}`, '127.0.0.2')), true)
    assert.equal(await isEncrypted(url(`sslmode=verify-full&${root()}`, '127.0.0.1')), true)
  })

  it('refuses plain text', async () => {
    await assert.rejects(openUrl(url('sslmode=disable')), refused('login-refused'))
  })

  it('refuses a wrong password, which is not repeated', async () => {
    const address = server.url('staff').replace(/password_\w+/, 'sentinel-wrong')
    await assert.rejects(openUrl(address), (error) => {
      assert.equal(inspect(error, { depth: 9, showHidden: true }).includes('sentinel-wrong'), false)
      return refused('login-refused')(error)
    })
  })

  it('takes login and authority from the environment and the password file of libpq', async () => {
    const settings = await resolveSettings({
      environment: { CLEVERCTL_HOME: folder, ...server.environment('gate') },
    })
    assert.equal(settings.databaseSource, 'PGHOST')
    const database = await openDatabase(settings, { log: silentLog })
    assert.equal((await database.query('select session_user as role')).rows[0]?.['role'], 'gate')
    assert.equal(database.target.description, `postgres://gate@localhost:${server.port}/cleverctl`)
    await database.close()
  })

  it('says which line of the password file is missing', async () => {
    const environment = {
      ...server.environment('gate'),
      CLEVERCTL_HOME: folder,
      PGPASSFILE: '/nonexistent',
    }
    const settings = await resolveSettings({ environment })
    await assert.rejects(openDatabase(settings, { log: silentLog }), (error) => {
      assert.match(
        (error as ExpectedError).suggestions.join(),
        new RegExp(`localhost:${server.port}:cleverctl:gate:PASSWORD`),
      )
      return refused('password-missing')(error)
    })
  })

  it('is not logged in to with a password file that others may read', async () => {
    const file = join(folder, 'open')
    writeFileSync(file, '*:*:*:*:x\n')
    chmodSync(file, 0o644)
    const environment = { ...server.environment('gate'), CLEVERCTL_HOME: folder, PGPASSFILE: file }
    const settings = await resolveSettings({ environment })
    await assert.rejects(openDatabase(settings, { log: silentLog }), UsageError)
  })

  it('reads escaped colons and wildcards of the password file', async () => {
    await server.administer(
      `create role "odd:role" login password 'a:b\\c' in role cleverctl_staff`,
    )
    const file = join(folder, 'odd')
    writeFileSync(file, '# comment\nother:*:*:*:no\n*:*:cleverctl:odd\\:role:a\\:b\\\\c\n', {
      mode: 0o600,
    })
    const environment = {
      ...server.environment('gate'),
      CLEVERCTL_HOME: folder,
      PGUSER: 'odd:role',
      PGPASSFILE: file,
    }
    const database = await openDatabase(await resolveSettings({ environment }), { log: silentLog })
    await database.close()
  })

  it('is named when its database does not exist', async () => {
    const address = server.url('staff').replace('/cleverctl?', '/elsewhere?')
    await assert.rejects(
      openUrl(address),
      (error) => (error as ExpectedError).code === 'database-not-found',
    )
  })
})

describe('a server without TLS', () => {
  let server: TestServer

  before(async () => {
    server = await startServer({ tls: false })
  })
  after(async () => {
    await server.stop()
  })

  it('is reached in plain text when TLS is only preferred', async () => {
    const database = await openUrl(server.url('staff').replace('disable', 'prefer'))
    await database.close()
  })

  it('is not reached when TLS is required', async () => {
    await assert.rejects(
      openUrl(server.url('staff').replace('disable', 'require')),
      UnreachableError,
    )
  })
})

describe('several servers', () => {
  const readOnly = 'default_transaction_read_only'

  it('are tried in order until one is as wanted, and again when that one is gone', async () => {
    const first = await startCluster({ settings: ["listen_addresses = ''"] })
    const second = await startCluster({ settings: ["listen_addresses = ''", `${readOnly} = on`] })
    try {
      const hosts = ['/nonexistent', second.folder, first.folder].map(encodeURIComponent).join(',')
      const address = `postgres://postgres@/postgres?host=${hosts}&target_session_attrs=read-write`
      const database = await openUrl(address, { migrations: 'ignore' })
      const where = async (): Promise<unknown> =>
        (await database.query(`select current_setting('unix_socket_directories') as folder`))
          .rows[0]?.['folder']
      assert.equal(await where(), first.folder)

      await first.stop()
      await assert.rejects(where(), UnreachableError)
      const other = await openUrl(
        `postgres://postgres@/postgres?host=${encodeURIComponent(second.folder)}`,
        { migrations: 'ignore' },
      )
      await other.query(`alter system set ${readOnly} = off`)
      await other.query('select pg_reload_conf()')
      await other.close()
      await until(async () => (await where().catch(() => undefined)) === second.folder)
      await database.close()
    } finally {
      await first.stop().catch(() => undefined)
      await second.stop()
    }
  })

  it('are looked at again when the one in use has become read-only under its connections', async () => {
    const [first, second] = await Promise.all([
      startCluster({ settings: ["listen_addresses = ''"] }),
      startCluster({ settings: ["listen_addresses = ''"] }),
    ])
    const hosts = [first.folder, second.folder].map(encodeURIComponent).join(',')
    const address = `postgres://postgres@/postgres?host=${hosts}&target_session_attrs=read-write`
    const database = await openUrl(address, { migrations: 'ignore' })
    try {
      await database.query('create table public.first (number int)')
      await database.query(`alter system set ${readOnly} = on`)
      await database.query('select pg_reload_conf()')
      await assert.rejects(
        until(async () => {
          await database.query('insert into public.first values (1)')
          return false
        }),
        (error) => error instanceof ConflictError && error.code === 'database-read-only',
      )
      await database.query('create table public.second (number int)')
      const { rows } = await database.query<{ folder: string }>(
        `select current_setting('unix_socket_directories') as folder`,
      )
      assert.equal(rows[0]?.folder, second.folder)
    } finally {
      await database.close()
      await first.stop()
      await second.stop()
    }
  })

  it('that are all out of reach are reported as that', async () => {
    await assert.rejects(openUrl('postgres://a@localhost:1,localhost:2/x'), UnreachableError)
  })
})
