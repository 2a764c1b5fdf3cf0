import assert from 'node:assert/strict'
import { RefusedError, UnreachableError } from '../../src/lib/errors.js'
import { CertificateAuthority } from '../support/certificates.js'
import { openUrl } from '../support/database.js'
import { startServer } from '../support/server.js'
import type { TestServer } from '../support/server.js'

describe('a server with TLS and SCRAM', () => {
  let server: TestServer

  before(async () => {
    server = await startServer()
  })

  after(async () => {
    await server.stop()
  })

  it('is reached with verify-full, encrypted', async () => {
    const database = await openUrl(server.url('staff'))
    const { rows } = await database.query(
      'select ssl, version from pg_stat_ssl where pid = pg_backend_pid()',
    )
    assert.deepEqual(rows, [{ ssl: true, version: 'TLSv1.3' }])
    await database.close()
  })

  it('is refused when another authority is trusted', async () => {
    const other = new CertificateAuthority('somebody else')
    const url = server
      .url('staff')
      .replace(/sslrootcert=.*/, `sslrootcert=${encodeURIComponent(other.certificate)}`)
    await assert.rejects(
      openUrl(url),
      (error) => error instanceof RefusedError && error.code === 'server-certificate',
    )
    other.remove()
  })

  it('refuses plain text', async () => {
    const url = server.url('staff').replace(/\?.*/, '?sslmode=disable')
    await assert.rejects(
      openUrl(url),
      (error) => error instanceof RefusedError && error.code === 'login-refused',
    )
  })

  it('refuses a wrong password without repeating it', async () => {
    const url = server.url('staff').replace(/password_\w+/, 'sentinel-wrong')
    await assert.rejects(
      openUrl(url),
      (error) =>
        error instanceof RefusedError &&
        error.code === 'login-refused' &&
        !JSON.stringify({ ...error, m: error.message, s: error.stack }).includes('sentinel-wrong'),
    )
  })

  it('that is not there is unreachable', async () => {
    await assert.rejects(
      openUrl('postgres://staff@localhost:1/x?sslmode=disable'),
      UnreachableError,
    )
  })
})
