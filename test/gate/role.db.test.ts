import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isSqlState, SqlState } from '../../src/lib/database/sqlstate.js'
import type { Database } from '../../src/lib/database/database.js'
import { hashPassword } from '../../src/lib/installer/password.js'
import { Secret } from '../../src/lib/secret.js'
import { postgresPrograms, serverAccount } from '../support/cluster.js'
import { openUrl } from '../support/database.js'
import { homeWorkspace, spawnGate, untilReady, type SpawnedGate } from '../support/gate.js'
import { preparePlant, type TestDevice, type TestPlant } from '../support/plant.js'
import { until } from '../support/until.js'
import { startServer, type TestServer } from '../support/server.js'

// Runs alone: what it waits for has to come within a second.

const PASSWORD = 'a long passphrase for the test'

describe('a gate with the rights of a gate, on a server with TLS and passwords', () => {
  let server: TestServer
  let home: string
  let owner: Database
  let plant: TestPlant
  let gate: SpawnedGate
  let device: TestDevice

  before(async () => {
    server = await startServer()
    home = mkdtempSync(join(tmpdir(), 'cctl-role-'))
    owner = await openUrl(server.url('owner'))
    const workspace = await homeWorkspace({ url: server.url('owner'), database: owner }, home)
    plant = await preparePlant(owner, { workspace })
    device = await plant.addDevice('CDX-000123')
    const hash = await hashPassword(new Secret(PASSWORD), workspace.random)
    await owner.query('update cleverctl.installer set password_hash = $1', [hash])
    gate = await spawnGate({ home, env: server.environment('gate'), args: ['--no-limits'] })
  })

  after(async () => {
    await gate?.end('SIGTERM')
    await owner?.close()
    await server?.stop()
    rmSync(home, { recursive: true, force: true })
  })

  const login = (password: string, email = 'installer@example.com') =>
    gate.client.ask({ path: '/v1/app/login', body: { email, password } })

  const bearer = async () => ({
    authorization: `Bearer ${String((await login(PASSWORD)).body['token'])}`,
  })

  const place = async (body: object, headers?: Record<string, string>) =>
    gate.client.ask({
      path: '/v1/app/placements',
      headers: headers ?? (await bearer()),
      body: { serial: device.serial, installation: 'solar-0042', ...body },
    })

  const sender = () => ({ apiKey: plant.apiKey, token: plant.token(device.serial) })

  it('runs the whole way from login to data', async () => {
    assert.equal((await login('wrong')).status, 401)
    assert.equal((await login(PASSWORD, 'nobody@example.com')).status, 401)
    const unassigned = await place({})
    assert.equal(unassigned.status, 403)
    await owner.query(
      'insert into cleverctl.installer_assignment (installer_id, installation_id) values ($1, $2)',
      [plant.installerId, plant.installation.id],
    )
    assert.equal((await place({}, {})).status, 401)
    assert.equal((await place({}, { authorization: `Bearer ${sender().token}` })).status, 401)
    assert.equal((await place({ serial: 'CDX-999999' })).status, 403)
    assert.equal((await place({ installation: 'solar-9999' })).status, 403)
    assert.equal((await place({ at: 'yesterday' })).status, 400)
    assert.equal((await place({ at: '2099-01-01T00:00:00Z' })).status, 400)
    assert.equal((await place({ position: { latitude: 91, longitude: 0 } })).status, 400)

    const placed = await place({ position: { latitude: 36.84, longitude: -2.46 } })
    assert.equal(placed.status, 201)
    assert.equal(placed.body['serial'], device.serial)
    assert.equal((await place({})).status, 200, 'again')

    const token = await gate.client.ask({
      path: '/v1/token',
      headers: { 'x-api-key': plant.apiKey },
      body: { serial: device.serial, secret: device.secret },
    })
    assert.equal(token.status, 200)
    const credentials = { apiKey: plant.apiKey, token: String(token.body['token']) }
    const posted = await gate.client.post(credentials, [
      { at: new Date().toISOString(), values: { powerW: 4210 } },
    ])
    assert.deepEqual(posted.body, { accepted: 1, duplicates: 0 })
    assert.equal((await gate.client.authorize({ ...credentials, token: 'x' })).status, 401)
    await until(async () => {
      const { rows } = await owner.query<{ used: string; refused: string }>(
        `select (select sum(use_count) from cleverctl.api_key) as used,
           (select count(*) from cleverctl.refusal where code = 'T_SIG') as refused`,
      )
      return Number(rows[0]?.used) >= 2 && Number(rows[0]?.refused) > 0
    })
  })

  it('ends a placement by the app, which ends the data at once', async () => {
    assert.equal((await gate.client.authorize(sender())).status, 204)
    const path = `/v1/app/placements/${device.serial}`
    assert.equal((await gate.client.ask({ method: 'DELETE', path })).status, 401)
    const headers = await bearer()
    assert.equal((await gate.client.ask({ method: 'DELETE', path, headers })).status, 204)
    await until(async () => (await gate.client.authorize(sender())).status === 403, 1_000)
    assert.equal((await gate.client.ask({ method: 'DELETE', path, headers })).status, 204, 'again')
    assert.equal((await place({})).status, 201)
    await until(async () => (await gate.client.authorize(sender())).status === 204, 1_000)
  })

  it("ends an installer's token with the installer", async () => {
    const headers = await bearer()
    assert.equal((await place({}, headers)).status, 200)
    await owner.query('update cleverctl.installer set token_epoch = token_epoch + 1')
    assert.equal((await place({}, headers)).status, 401, 'epoch')
    const next = await bearer()
    await owner.query('update cleverctl.installer set disabled_at = now()')
    assert.equal((await place({}, next)).status, 401, 'disabled')
    assert.equal((await login(PASSWORD)).status, 401)
    await owner.query('update cleverctl.installer set disabled_at = null')
  })

  it('may read and change nothing that a gate need not', async () => {
    const role = await openUrl(server.url('gate'))
    try {
      const forbidden = [
        'select "values" from cleverctl.reading',
        'select * from cleverctl.trail',
        'select name from cleverctl.installation',
        'select name from cleverctl.installer',
        'select sealed from cleverctl.api_key',
        'delete from cleverctl.reading',
        `update cleverctl.reading set "values" = '{}'`,
        'update cleverctl.device set revoked_at = null',
        `update cleverctl.api_key set state = 'CURRENT'`,
        `insert into cleverctl.device (serial) values ('CDX-666666')`,
        'update cleverctl.installation set retired_at = null',
        'delete from cleverctl.placement',
        'create table cleverctl.mine ()',
      ]
      for (const statement of forbidden) {
        await assert.rejects(
          role.query(statement),
          (error) => isSqlState(error, SqlState.INSUFFICIENT_PRIVILEGE),
          statement,
        )
      }
    } finally {
      await role.close()
    }
  })

  it('answers 503 and never yes while the database is away, and works again when it is back', async () => {
    const credentials = sender()
    assert.equal((await gate.client.authorize(credentials)).status, 204)
    assert.equal((await gate.client.authorize(credentials)).status, 204)
    // The tests' servers commit asynchronously: a crash may lose what was committed just now.
    await server.administer('checkpoint')
    await server.cluster.program('pg_ctl', [
      ...['-D', join(server.cluster.folder, 'data'), '-m', 'immediate', '-w', 'stop'],
    ])
    const stopped = performance.now()
    let answers = 0
    await until(async () => {
      const answer = await gate.client.authorize(credentials)
      answers += 1
      if (answer.status === 204) assert.ok(performance.now() - stopped < 1_000, 'a stale yes')
      else {
        assert.equal(answer.status, 503)
        assert.ok(Number(answer.headers['retry-after']) >= 1)
      }
      return performance.now() - stopped > 1_500
    })
    assert.ok(answers > 3)
    assert.equal((await gate.client.ask({ path: '/readyz' })).status, 503)
    assert.equal((await gate.client.ask({ path: '/healthz' })).status, 200)
    const posted = await gate.client.post(credentials, [
      { at: new Date().toISOString(), values: { a: 1 } },
    ])
    assert.equal(posted.status, 503)
    const starting = spawn(
      join(postgresPrograms(), 'pg_ctl'),
      ['-D', join(server.cluster.folder, 'data'), '-w', '-l', server.cluster.logFile, 'start'],
      { ...serverAccount(), cwd: server.cluster.folder, stdio: 'ignore' },
    )
    await once(starting, 'exit')
    await untilReady(gate.client)
    assert.equal((await gate.client.authorize(credentials)).status, 204)
    assert.equal(gate.child.exitCode, null)
  })
})
