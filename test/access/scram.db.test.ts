import { equal, rejects } from 'node:assert/strict'
import pg from 'pg'
import { scramVerifier } from '../../src/lib/access/scram.js'
import { systemRandom } from '../../src/lib/clock.js'
import { Secret } from '../../src/lib/secret.js'
import { startServer, type TestServer } from '../support/server.js'

describe('a SCRAM verifier that is made here', () => {
  let server: TestServer
  before(async () => {
    server = await startServer({ roles: false, tls: false })
  })
  after(() => server.stop())

  const logIn = async (password: string) => {
    const client = new pg.Client({
      ...{ host: 'localhost', port: server.port, user: 'ana', database: 'cleverctl', password },
    })
    await client.connect()
    await client.end()
  }

  it('lets in who knows the password, and nobody else', async () => {
    const password = systemRandom.bytes(18).toString('base64url')
    const verifier = await scramVerifier(new Secret(password), systemRandom)
    await server.administer(`create role ana login password '${verifier}'`)
    const { rows } = await server.administer(
      "select rolpassword as kept from pg_authid where rolname = 'ana'",
    )
    equal((rows as { kept: string }[])[0]?.kept, verifier)
    await logIn(password)
    await rejects(logIn(`${password}x`), { code: '28P01' })
  })
})
