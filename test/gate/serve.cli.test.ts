import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { connect as connectTcp, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import pg from 'pg'
import { PROGRAM, runCli } from '../support/cli.js'
import { freshDatabase, type FreshDatabase } from '../support/database.js'
import { homeWorkspace, spawnGate, type SpawnedGate } from '../support/gate.js'
import { preparePlant, type TestPlant } from '../support/plant.js'
import { until } from '../support/until.js'

// Runs alone: what it waits for has to come within seconds.

describe('gate serve', () => {
  let fresh: FreshDatabase
  let home: string
  let plant: TestPlant
  let env: Record<string, string>
  const running: SpawnedGate[] = []

  before(async () => {
    fresh = await freshDatabase()
    home = mkdtempSync(join(tmpdir(), 'cctl-serve-'))
    plant = await preparePlant(fresh.database, { workspace: await homeWorkspace(fresh, home) })
    await plant.addDevice('CDX-000123', plant.installation)
    env = { CLEVERCTL_DATABASE_URL: fresh.url }
  })

  afterEach(() => {
    for (const gate of running.splice(0)) gate.child.kill('SIGKILL')
  })

  after(async () => {
    await fresh?.drop()
    rmSync(home, { recursive: true, force: true })
  })

  const start = async (...args: string[]) => {
    const gate = await spawnGate({ home, env, args })
    running.push(gate)
    return gate
  }

  const sender = () => ({ apiKey: plant.apiKey, token: plant.token('CDX-000123') })

  let sent = 0
  const reading = () => {
    sent += 1
    return { at: new Date(Date.now() - 86_400_000 + sent).toISOString(), values: { a: sent } }
  }

  const refusedToStart = async (code: number, pattern: RegExp, ...args: string[]) => {
    const result = await runCli(['gate', 'serve', ...args, '--json'], { home, env })
    assert.equal(result.code, code, result.stdout + result.stderr)
    const { error } = result.json() as { error: { message: string } }
    assert.match(error.message, pattern)
  }

  for (const [signal, code] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const) {
    it(`finishes what it took in after ${signal} and ends with ${code}`, async () => {
      const gate = await start('--json')
      const blocker = new pg.Client({ connectionString: fresh.url, ssl: false })
      await blocker.connect()
      await blocker.query('begin; lock table cleverctl.reading in access exclusive mode')
      const posting = gate.client.post(sender(), [reading()])
      const { rows } = await fresh.database.query<{ at: Date }>('select now() as at')
      assert.ok(rows[0])
      await until(async () => {
        const waiting = await fresh.database.query(
          `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        )
        return waiting.rows.length > 0
      })
      gate.child.kill(signal)
      await until(() => gate.stderr().includes('"stopping"'))
      await blocker.query('rollback')
      await blocker.end()
      const answer = await posting
      assert.equal(answer.status, 202)
      assert.equal(await gate.ended, code)
      const result = JSON.parse(gate.stdout()) as Record<string, unknown>
      assert.deepEqual(result, { address: '127.0.0.1', port: gate.client.port, workers: 1 })
    })
  }

  it('ends in time although clients hold on to it', async () => {
    const gate = await start()
    const { port, certificate: ca } = gate.client
    const silent = connectTcp(port, '127.0.0.1')
    const handshaken = connectTls({ host: '127.0.0.1', port, ca, servername: 'localhost' })
    const slow = connectTls({ host: '127.0.0.1', port, ca, servername: 'localhost' })
    for (const socket of [silent, handshaken, slow]) socket.on('error', () => undefined)
    const { apiKey, token } = sender()
    await Promise.all([once(slow, 'secureConnect'), once(handshaken, 'secureConnect')])
    slow.write(
      `POST /v1/data HTTP/1.1\r\nhost: x\r\nx-api-key: ${apiKey}\r\nauthorization: Bearer ${token}\r\n` +
        'content-type: application/json\r\ncontent-length: 1000\r\n\r\n{',
    )
    await gate.client.authorize(sender())
    const began = performance.now()
    gate.child.kill('SIGTERM')
    assert.equal(await gate.ended, 143)
    assert.ok(performance.now() - began < 11_000)
    for (const socket of [silent, handshaken, slow]) socket.destroy()
  })

  it('logs one JSON document a line and no secret', async () => {
    const gate = await start('--verbose')
    const { apiKey, token } = sender()
    await gate.client.authorize({ apiKey, token: `${token}x` })
    await gate.client.ask({ path: `/v1/authorize?key=${apiKey}&token=${token}` })
    await gate.client.ask({ path: '/v1/token', raw: `{"secret":"hush-${apiKey}"`, method: 'POST' })
    await until(() => gate.stderr().includes('arrival.refused'))
    await gate.end('SIGTERM')
    const lines = gate.stderr().trim().split('\n')
    for (const line of lines) {
      const { level, time } = JSON.parse(line) as Record<string, unknown>
      assert.match(String(level), /^(debug|info|warn|error)$/)
      assert.ok(Math.abs(Date.parse(String(time)) - Date.now()) < 60_000, line)
    }
    assert.doesNotMatch(gate.stderr(), /clv_live_\w{8}_|eyJ|hush/)
  })

  it('keeps its certificate, tells its fingerprint, and lets nobody else read the key', async () => {
    const first = await start()
    const fingerprint = /"fingerprint":"([0-9A-F:]+)"/.exec(first.stderr())?.[1]
    await first.end('SIGTERM')
    const second = await start()
    assert.ok(fingerprint !== undefined && second.stderr().includes(fingerprint))
    assert.equal(statSync(join(home, 'gate', 'self-signed.pem')).mode & 0o777, 0o600)
    assert.doesNotMatch(readFileSync(join(home, 'gate', 'self-signed.crt'), 'utf8'), /PRIVATE/)
  })

  it('takes a certificate from files and refuses a key that others can read', async () => {
    const pem = readFileSync(join(home, 'gate', 'self-signed.pem'), 'utf8')
    const [cert, key, open] = ['tls.crt', 'tls.key', 'open.key'].map((name) => join(home, name))
    writeFileSync(cert ?? '', readFileSync(join(home, 'gate', 'self-signed.crt')))
    writeFileSync(key ?? '', pem, { mode: 0o600 })
    writeFileSync(open ?? '', pem, { mode: 0o644 })
    await refusedToStart(2, /open/, '--tls-cert', cert ?? '', '--tls-key', open ?? '')
    await refusedToStart(2, /cannot read/, '--tls-cert', join(home, 'none'), '--tls-key', key ?? '')
    await refusedToStart(
      2,
      /no certificate/,
      '--tls-cert',
      key ?? '',
      '--tls-key',
      cert ?? '',
    ).catch(
      // The key file is also a certificate file, the certificate is open to others.
      () => refusedToStart(2, /open/, '--tls-cert', key ?? '', '--tls-key', cert ?? ''),
    )
  })

  it('wants one way of transport, and plain text on the loopback address only', async () => {
    await refusedToStart(2, /certificate/)
    await refusedToStart(2, /certificate/, '--self-signed', '--insecure-http')
    await refusedToStart(2, /plain text/, '--insecure-http', '--address', '0.0.0.0')
    await refusedToStart(2, /plain text/, '--insecure-http', '--address', '::')
    await refusedToStart(2, /network/, '--self-signed', '--trust-proxy', '10.0.0.0/99')
    await refusedToStart(2, /limit/, '--self-signed', '--limit', 'nothing=1')
    await refusedToStart(2, /hour/, '--self-signed', '--token-ttl', '2h')
  })

  it('says that a port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    await refusedToStart(6, /listens/, '--self-signed', '--port', String(port))
    await refusedToStart(6, /listens/, '--self-signed', '--port', String(port), '--workers', '2')
    server.close()
  })

  for (const workers of ['1', '2']) {
    it(`does not begin with another keyring than the one that sealed the keys, and says so once (${workers} workers)`, async () => {
      const stranger = mkdtempSync(join(tmpdir(), 'cctl-serve-'))
      const other = await freshDatabase()
      try {
        await preparePlant(other.database, { workspace: await homeWorkspace(other, stranger) })
        const args = ['gate', 'serve', '--port', '0', '--self-signed', '--workers', workers]
        const { code, stdout, stderr } = await runCli(args, { home: stranger, env })
        assert.equal(code, 4, stderr)
        assert.equal(stdout, '')
        assert.equal(stderr.match(/^error: /gm)?.length, 1, stderr)
        assert.match(stderr, /keyring/)
        assert.doesNotMatch(stderr, /listening/)
      } finally {
        await other.drop()
        rmSync(stranger, { recursive: true, force: true })
      }
    })

    it(`does not begin without a signing key or a database (${workers} workers)`, async () => {
      const empty = await freshDatabase()
      const flags = ['--port', '0', '--self-signed', '--workers', workers]
      try {
        const args = ['gate', 'serve', ...flags]
        const without = { CLEVERCTL_DATABASE_URL: empty.url }
        const { code, stderr } = await runCli(args, { home, env: without })
        assert.equal(code, 5, stderr)
        assert.match(stderr, /hint: cleverctl signing-key rotate/)
        const away = { CLEVERCTL_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' }
        assert.equal((await runCli(args, { home, env: away })).code, 7)
      } finally {
        await empty.drop()
      }
    })
  }

  it('limits failures of an address and believes X-Forwarded-For of a trusted proxy only', async () => {
    const gate = await start('--limit', 'failures=3', '--trust-proxy', '127.0.0.0/8')
    const ask = async (address: string) =>
      gate.client.ask({ path: '/v1/authorize', headers: { 'x-forwarded-for': address } })
    for (let turn = 0; turn < 3; turn += 1) assert.equal((await ask('192.0.2.7')).status, 401)
    const limited = await ask('192.0.2.7')
    assert.equal(limited.status, 429)
    assert.deepEqual(limited.body, {
      error: 'too_many_requests',
      requestId: limited.headers['x-request-id'],
    })
    assert.ok(Number(limited.headers['retry-after']) >= 1)
    assert.equal((await ask('192.0.2.8')).status, 401)
    await gate.end('SIGTERM')
    const plain = await start('--limit', 'failures=3')
    for (let turn = 0; turn < 3; turn += 1) {
      await plain.client.ask({
        path: '/v1/authorize',
        headers: { 'x-forwarded-for': `192.0.2.${turn}` },
      })
    }
    assert.equal((await plain.client.ask({ path: '/v1/authorize' })).status, 429)
    assert.equal((await plain.client.ask({ path: '/readyz' })).status, 200, 'monitors are let in')
  })

  it('limits a device and a key', async () => {
    const gate = await start('--limit', 'device=2', '--limit', 'key=3')
    const second = await plant.addDevice('CDX-000124', plant.installation)
    const other = { apiKey: plant.apiKey, token: plant.token('CDX-000124') }
    const statuses = []
    for (const each of [sender(), sender(), sender(), other]) {
      statuses.push((await gate.client.authorize(each)).status)
    }
    assert.deepEqual(statuses, [204, 204, 429, 429])
    const token = await gate.client.ask({
      path: '/v1/token',
      headers: { 'x-api-key': plant.apiKey },
      body: { serial: 'CDX-000124', secret: second.secret },
    })
    assert.equal(token.status, 429)
  })

  it('goes on when nobody reads its log', async () => {
    const child = spawn(
      process.execPath,
      [
        PROGRAM,
        'gate',
        'serve',
        '--port',
        '0',
        '--insecure-http',
        '--no-limits',
        '--metrics-port',
        '0',
      ],
      {
        env: { PATH: process.env['PATH'] ?? '', HOME: home, CLEVERCTL_HOME: home, ...env },
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    )
    try {
      const port = await new Promise<number>((resolve) => {
        let text = ''
        const read = (chunk: Buffer) => {
          text += chunk.toString()
          const found = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(text)
          if (!found) return
          child.stderr.off('data', read)
          child.stderr.pause()
          resolve(Number(found[1]))
        }
        child.stderr.on('data', read)
      })
      const ask = () =>
        new Promise<number>((resolve, reject) => {
          get({ port, host: '127.0.0.1', path: '/v1/authorize' }, (incoming) => {
            incoming.resume()
            resolve(incoming.statusCode ?? 0)
          }).on('error', reject)
        })
      // Some 300 bytes each: several times what a pipe holds.
      for (let turn = 0; turn < 1_500; turn += 1) assert.equal(await ask(), 401)
    } finally {
      child.kill('SIGKILL')
    }
  })

  describe('with two workers', () => {
    const pids = async () => {
      const { rows } = await fresh.database.query<{ count: string }>(
        `select count(*) from pg_stat_activity
         where application_name = 'cleverctl gate listener' and datname = current_database()`,
      )
      return Number(rows[0]?.count)
    }

    it('serves from both, replaces one that dies, and stops both', async () => {
      const gate = await start('--workers', '2', '--metrics-port', '0', '--no-limits')
      await until(async () => (await pids()) === 2)
      assert.equal((await gate.client.post(sender(), [reading()])).status, 202)
      const worker = workerOf(gate.child.pid ?? 0)
      process.kill(worker, 'SIGKILL')
      await until(() => gate.stderr().includes('worker.died'))
      assert.equal(
        (await gate.client.authorize(sender()).catch(() => undefined))?.status ?? 204,
        204,
      )
      await until(async () => (await pids()) === 2, 15_000)
      assert.equal((await gate.client.post(sender(), [reading()])).status, 202)
      const code = await gate.end('SIGTERM')
      assert.equal(code, 143)
      await until(async () => (await pids()) === 0)
      assert.equal(
        gate
          .stdout()
          .split('\n')
          .filter((line) => line.includes('port')).length,
        1,
      )
    })

    it('sees a revocation in both', async () => {
      const gate = await start('--workers', '2', '--no-limits')
      await until(async () => (await pids()) === 2)
      const device = await plant.addDevice('CDX-000130', plant.installation)
      const credentials = { apiKey: plant.apiKey, token: plant.token(device.serial) }
      const ask = () =>
        Promise.all(Array.from({ length: 20 }, () => gate.client.authorize(credentials)))
      for (const { status } of await ask()) assert.equal(status, 204)
      await fresh.database.query(
        `update cleverctl.device set revoked_at = now(), revoke_reason = 'stolen' where id = $1`,
        [device.id],
      )
      await until(async () => (await ask()).every(({ status }) => status === 403), 1_000)
      for (let turn = 0; turn < 5; turn += 1) {
        for (const { status } of await ask()) assert.equal(status, 403)
      }
    })
  })

  for (const workers of ['1', '2']) {
    it(`does not begin when the port of its metrics is taken (${workers} workers)`, async () => {
      const taken = createServer().listen(0, '127.0.0.1')
      await once(taken, 'listening')
      try {
        const { port } = taken.address() as AddressInfo
        const flags = ['--port', '0', '--insecure-http', '--workers', workers]
        const args = ['gate', 'serve', ...flags, '--metrics-port', String(port)]
        const { code, stderr } = await runCli(args, { home, env })
        assert.equal(code, 6, stderr)
        assert.match(stderr, /hint: give another one with --metrics-port/)
      } finally {
        taken.close()
      }
    })
  }

  it('adds up the metrics of its workers and serves them to this machine', async () => {
    const { port } = (await freeListener()) as AddressInfo
    const gate = await start('--workers', '2', '--metrics-port', String(port))
    for (let turn = 0; turn < 10; turn += 1) await gate.client.authorize({})
    await gate.client.post(sender(), [reading()])
    const metrics = async () =>
      new Promise<string>((resolve, reject) => {
        get({ host: '127.0.0.1', port, path: '/metrics' }, (incoming) => {
          let text = ''
          incoming.on('data', (chunk: Buffer) => (text += chunk.toString()))
          incoming.on('end', () => resolve(text))
        }).on('error', reject)
      })
    await until(
      async () => (await metrics().catch(() => '')).includes('cleverctl_gate_listening 1'),
      20_000,
    )
    const text = await metrics()
    assert.match(
      text,
      /cleverctl_gate_refused_total\{requirement="1",code="K_MISSING",route="\/v1\/authorize"\} 10/,
    )
    assert.match(text, /cleverctl_gate_readings_total\{result="accepted"\} 1/)
    assert.match(text, /cleverctl_gate_request_seconds_bucket/)
    assert.doesNotMatch(text, /CDX-|clv_|solar/)
  })

  async function freeListener() {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    await new Promise((resolve) => server.close(resolve))
    return address
  }

  /** A child of a process, from the system's own table. */
  function workerOf(parent: number): number {
    const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8')
    return Number(children.trim().split(' ')[0])
  }
})
