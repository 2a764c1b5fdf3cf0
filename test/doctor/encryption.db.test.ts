import { deepEqual } from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { diagnose, type Diagnosis } from '../../src/lib/doctor/diagnose.js'
import { ExpectedError } from '../../src/lib/errors.js'
import { startServer, type TestServer } from '../support/server.js'
import { testSurroundings } from '../support/surroundings.js'

/** What the check of the encryption says about a server, by its environment. */
async function encryption(environment: Record<string, string>): Promise<unknown[]> {
  const home = mkdtempSync(join(tmpdir(), 'cctl-doctor-'))
  const surroundings = testSurroundings({ CLEVERCTL_HOME: home, ...environment })
  const diagnosis = await diagnose(surroundings, {
    profile: undefined,
    databaseUrl: undefined,
  }).catch((error: unknown) => {
    if (error instanceof ExpectedError) return error.result as Diagnosis
    throw error
  })
  rmSync(home, { recursive: true })
  const found = diagnosis.checks.find(({ id }) => id === 'tls')
  return [found?.verdict, found?.detail.replace(/^TLS\S+ [^,]+/, 'TLS')]
}

describe('the check of the encryption on the way', () => {
  let server: TestServer
  afterEach(() => server.stop())

  it('wants the server to prove its name', async () => {
    server = await startServer()
    const environment = server.environment('staff')
    deepEqual(await encryption(environment), ['ok', 'TLS, the server proved its name'])
    deepEqual(await encryption({ ...environment, PGSSLMODE: 'require' }), [
      'warning',
      'TLS, but the server need not prove its name (sslmode=require)',
    ])
  })

  it('minds plain text, within one machine less', async () => {
    server = await startServer({ tls: false })
    deepEqual(await encryption(server.environment('staff')), [
      'warning',
      'not encrypted, though within this machine',
    ])
  })
})
